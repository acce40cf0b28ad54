#!/bin/sh
# rnbyc. Arguments: issuer, audience, the key set. Prints the claims of each token on standard input, or why it is refused.
while read -r token; do
  # It prints the claims of a bad token, too: the status and the first line say whether it is good.
  if shown=$(rnbyc --parse-token "$token" --public-key "$3" 2>/dev/null) &&
    [ "${shown%%
*}" = 'Token signature verified' ]; then
    printf '%s\n' "$shown" | tail -n +2 | tr -d '\n'
    echo
  else
    echo 'refused: it is not valid'
  fi
done
