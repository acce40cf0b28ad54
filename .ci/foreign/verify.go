// Verifies the tokens on standard input, one a line, with go-jose. Arguments: issuer, audience. Prints the id of the
// key and the claims, as JSON, or "refused" for each.
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

// The id of the key that verifies the token, and all claims; nothing if there is none.
func verify(text string, keys *jose.JSONWebKeySet, issuer, audience string) []any {
	token, err := jwt.ParseSigned(text)
	if err != nil || len(token.Headers) != 1 {
		return nil
	}
	// go-jose takes any algorithm that goes with the key, and leaves the type to its caller.
	header := token.Headers[0]
	if header.Algorithm != string(jose.ES256) || header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
		return nil
	}
	var claims jwt.Claims
	var all map[string]any
	if token.Claims(keys, &claims, &all) != nil {
		return nil
	}
	expected := jwt.Expected{Issuer: issuer, Audience: jwt.Audience{audience}, Time: time.Now()}
	isComplete := claims.Expiry != nil && claims.IssuedAt != nil && claims.Subject != ""
	if !isComplete || claims.ValidateWithLeeway(expected, 0) != nil {
		return nil
	}
	return []any{header.KeyID, all}
}

func main() {
	issuer, audience := os.Args[1], os.Args[2]
	keys := fetch(issuer + "/.well-known/jwks.json")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		verified := verify(lines.Text(), &keys, issuer, audience)
		if verified == nil {
			fmt.Println("refused")
		} else if text, err := json.Marshal(verified); err != nil {
			log.Fatal(err)
		} else {
			fmt.Println(string(text))
		}
	}
}
