# json-jwt. Arguments: issuer, audience, the key set. Prints the claims of each token on standard input, or why it is
# refused.
require 'json/jwt'

_, _, set = ARGV
keys = JSON::JWK::Set.new(JSON.parse(File.read(set)))
$stdin.each_line(chomp: true) do |token|
  puts JSON::JWT.decode(token, keys, :ES256).to_json
rescue StandardError => e
  puts "refused: #{e.message.lines.first}"
end
