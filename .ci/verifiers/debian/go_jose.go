// go-jose. Arguments: issuer, audience, the key set. Prints the claims of each token on standard input, or why it is
// refused.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"
)

func verify(text string, keys *jose.JSONWebKeySet) (string, error) {
	token, err := jwt.ParseSigned(text)
	if err != nil {
		return "", err
	}
	var claims jwt.Claims
	var all map[string]any
	if err := token.Claims(keys, &claims, &all); err != nil {
		return "", err
	}
	expected := jwt.Expected{Issuer: os.Args[1], Audience: jwt.Audience{os.Args[2]}, Time: time.Now()}
	if err := claims.ValidateWithLeeway(expected, 5*time.Second); err != nil {
		return "", err
	}
	read, err := json.Marshal(all)
	return string(read), err
}

func main() {
	var keys jose.JSONWebKeySet
	set, err := os.ReadFile(os.Args[3])
	if err != nil || json.Unmarshal(set, &keys) != nil {
		log.Fatal("no key set")
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if claims, err := verify(lines.Text(), &keys); err != nil {
			fmt.Printf("refused: %v\n", err)
		} else {
			fmt.Println(claims)
		}
	}
}
