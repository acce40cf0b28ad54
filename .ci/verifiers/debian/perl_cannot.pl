# JSON::WebToken and Mojo::JWT, by the first argument; then issuer, audience, the key set, the key in use as PEM, its id.
# Prints the claims of each token on standard input, or why it is refused.
use strict;
use warnings;
use JSON::PP;

my ($library, $issuer, $audience, $set, $pem) = @ARGV;
my $key = do { local (@ARGV, $/) = ($pem); <> };
while (my $token = <STDIN>) {
    chomp $token;
    my $claims = eval {
        if ($library eq 'JSON::WebToken') {
            require JSON::WebToken;
            JSON::WebToken->decode($token, $key, 1, ['ES256']);
        } else {
            require Mojo::JWT;
            Mojo::JWT->new(public => $key)->decode($token);
        }
    };
    print $claims ? encode_json($claims) : 'refused: ' . ($@ =~ s/\n.*//sr), "\n";
}
