// golang-jwt. Arguments: issuer, audience, the key set, the key in use as PEM, its id. Prints the claims of each token on
// standard input, or why it is refused.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/golang-jwt/jwt"
)

func main() {
	pem, err := os.ReadFile(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	key, err := jwt.ParseECPublicKeyFromPEM(pem)
	if err != nil {
		log.Fatal(err)
	}
	parser := jwt.Parser{ValidMethods: []string{"ES256"}}
	find := func(token *jwt.Token) (any, error) {
		if token.Header["kid"] != os.Args[5] {
			return nil, fmt.Errorf("no key %v", token.Header["kid"])
		}
		return key, nil
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		claims := jwt.MapClaims{}
		if _, err := parser.ParseWithClaims(lines.Text(), claims, find); err != nil {
			fmt.Printf("refused: %v\n", err)
		} else if text, err := json.Marshal(claims); err != nil {
			log.Fatal(err)
		} else {
			fmt.Println(string(text))
		}
	}
}
