// libcjose. Arguments: issuer, audience, the key set, the key in use as PEM, its id, and it as JWK. Prints the claims of
// each token on standard input, or why it is refused.
#include <cjose/cjose.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **values) {
    char line[8192];
    cjose_err error;
    cjose_jwk_t *key = count > 6 ? cjose_jwk_import(values[6], strlen(values[6]), &error) : NULL;
    if (!key) return 1;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        error.message = "another key or algorithm";
        uint8_t *claims;
        size_t length;
        cjose_jws_t *token = cjose_jws_import(line, strlen(line), &error);
        cjose_header_t *head = token ? cjose_jws_get_protected(token) : NULL;
        const char *kid = head ? cjose_header_get(head, CJOSE_HDR_KID, &error) : NULL;
        const char *alg = head ? cjose_header_get(head, CJOSE_HDR_ALG, &error) : NULL;
        if (kid && alg && !strcmp(kid, values[5]) && !strcmp(alg, "ES256") && cjose_jws_verify(token, key, &error) &&
            cjose_jws_get_plaintext(token, &claims, &length, &error))
            printf("%.*s\n", (int)length, claims);
        else printf("refused: %s\n", error.message);
        cjose_jws_release(token);
    }
    cjose_jwk_release(key);
}
