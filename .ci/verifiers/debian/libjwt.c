// libjwt. Arguments: issuer, audience, the key set, the key in use as PEM. Prints the claims of each token on standard
// input, or why it is refused.
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **values) {
    char line[8192];
    unsigned char pem[4096];
    FILE *file = count > 4 ? fopen(values[4], "r") : NULL;
    if (!file) return 1;
    size_t length = fread(pem, 1, sizeof pem, file);
    fclose(file);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        jwt_t *token = NULL;
        int error = jwt_decode(&token, line, pem, length);
        char *claims = error ? NULL : jwt_get_grants_json(token, NULL);
        if (claims) puts(claims);
        else printf("refused: %s\n", strerror(error));
        free(claims);
        jwt_free(token);
    }
}
