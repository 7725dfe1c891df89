// go run verify-webhook.go SECRET WEBHOOK-ID WEBHOOK-TIMESTAMP WEBHOOK-SIGNATURE < BODY
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func isSigned(secret, id, timestamp, signatures string, body []byte) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	for _, signature := range strings.Split(signatures, " ") {
		given, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(signature, "v1,"))
		if hmac.Equal(given, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

func main() {
	secret, id, timestamp, signatures := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	body, _ := io.ReadAll(os.Stdin)
	seconds, _ := strconv.ParseInt(timestamp, 10, 64)
	fresh := time.Since(time.Unix(seconds, 0)).Abs() <= 5*time.Minute
	signed := isSigned(secret, id, timestamp, signatures, body)
	fmt.Println(map[bool]string{true: "signed", false: "not signed"}[signed] + ", " +
		map[bool]string{true: "fresh", false: "not fresh"}[fresh])
	if !signed || !fresh {
		os.Exit(1)
	}
}
