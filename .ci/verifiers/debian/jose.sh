#!/bin/sh
# José's command line tool. Arguments: issuer, audience, the key set, the key in use as PEM, its id, and it as JWK. Prints
# the claims of each token on standard input, or why it is refused. Given the set it would try each key, so the key is
# chosen here, by kid.
field() {
  printf %s "${token%%.*}" | jose b64 dec -i - -O - | jose fmt -j - -Og "$1" -Su- 2>/dev/null
}

while read -r token; do
  # It prints the claims before it verifies: only its status says whether they are good.
  if [ "$(field kid)" != "$5" ]; then
    echo 'refused: another key'
  elif claims=$(printf %s "$token" | jose jws ver -i - -k /dev/fd/3 -O - 3<<KEY
$6
KEY
  ); then
    printf '%s\n' "$claims"
  else
    echo 'refused: it is not valid'
  fi
done
