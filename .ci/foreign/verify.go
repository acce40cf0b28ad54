// Verifies the tokens on standard input, one a line, with go-jose. Arguments: issuer, audience. Prints the id of the key or
// "refused" for each.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"
)

func fetch(url string) (keys jose.JSONWebKeySet) {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&keys); err != nil || answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status, err)
	}
	return keys
}

// The id of the key that verifies the token; nothing if there is none.
func verify(text string, keys *jose.JSONWebKeySet, issuer, audience string) string {
	token, err := jwt.ParseSigned(text)
	if err != nil || len(token.Headers) != 1 {
		return ""
	}
	// go-jose takes any algorithm that goes with the key, and leaves the type to its caller.
	header := token.Headers[0]
	if header.Algorithm != string(jose.ES256) || header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
		return ""
	}
	var claims jwt.Claims
	if token.Claims(keys, &claims) != nil {
		return ""
	}
	expected := jwt.Expected{Issuer: issuer, Audience: jwt.Audience{audience}, Time: time.Now()}
	if claims.Expiry == nil || claims.Subject == "" || claims.ValidateWithLeeway(expected, 0) != nil {
		return ""
	}
	return header.KeyID
}

func main() {
	issuer, audience := os.Args[1], os.Args[2]
	keys := fetch(issuer + "/.well-known/jwks.json")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if kid := verify(lines.Text(), &keys, issuer, audience); kid != "" {
			fmt.Println(kid)
		} else {
			fmt.Println("refused")
		}
	}
}
