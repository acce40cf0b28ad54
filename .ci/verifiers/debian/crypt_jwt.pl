# Crypt::JWT. Arguments: issuer, audience, the key set, the key in use as PEM, its id. Prints the claims of each token on
# standard input, or why it is refused.
use strict;
use warnings;
use Crypt::JWT qw(decode_jwt);
use JSON::PP;

my ($issuer, $audience, $set) = @ARGV;
my $keys = decode_json(do { local (@ARGV, $/) = ($set); <> });
while (my $token = <STDIN>) {
    chomp $token;
    # verify_iat looks at whether it is in the future, verify_exp => 1 requires the claim.
    my $claims = eval {
        decode_jwt(token => $token, kid_keys => $keys, accepted_alg => 'ES256', verify_iss => $issuer,
            verify_aud => $audience, verify_exp => 1, verify_iat => 1, leeway => 5);
    };
    print $claims ? encode_json($claims) : 'refused: ' . ($@ =~ s/\n.*//sr), "\n";
}
