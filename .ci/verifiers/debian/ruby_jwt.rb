# ruby-jwt. Arguments: issuer, audience, the key set. Prints the claims of each token on standard input, or why it is
# refused.
require 'json'
require 'jwt'

issuer, audience, set = ARGV
jwks = JSON.parse(File.read(set), symbolize_names: true)
rules = { algorithms: ['ES256'], jwks: jwks, iss: issuer, verify_iss: true, aud: audience, verify_aud: true,
          exp_leeway: 5, required_claims: %w[exp iat sub] }
$stdin.each_line(chomp: true) do |token|
  claims, = JWT.decode(token, nil, true, rules)
  puts claims.to_json
rescue StandardError => e
  puts "refused: #{e.message.lines.first}"
end
