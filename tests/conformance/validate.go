// SPDX-License-Identifier: Apache-2.0

// What golang.org/x/crypto/ocsp believes of a responder, as a Go client asks:
// "validate URL ISSUER LEAF METHOD HASH" prints "good" or "revoked REASON",
// and who signed it: "issuer" or "delegate"; or what it could not believe.
// METHOD "tampered" changes each octet that is signed, and each of the
// signature, in turn, and counts what is still believed.  (Of lengths around
// them Go overlooks some.)
package main

import (
	"bytes"
	"crypto"
	_ "crypto/sha1"
	_ "crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"
)

func read(path string) (*x509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

func fetch(base string, method string, request []byte) ([]byte, error) {
	client := &http.Client{Timeout: 10 * time.Second}
	var answer *http.Response
	var err error

	if method == "get" {
		answer, err = client.Get(strings.TrimSuffix(base, "/") + "/" +
			url.PathEscape(base64.StdEncoding.EncodeToString(
				request)))
	} else {
		answer, err = client.Post(base, "application/ocsp-request",
			bytes.NewReader(request))
	}
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %s", answer.Status)
	}
	return io.ReadAll(answer.Body)
}

func describe(response *ocsp.Response) string {
	now := time.Now()
	text := "unknown"

	if now.Before(response.ThisUpdate) || now.After(response.NextUpdate) {
		return "not valid now"
	}
	switch response.Status {
	case ocsp.Good:
		text = "good"
	case ocsp.Revoked:
		text = fmt.Sprintf("revoked %d", response.RevocationReason)
	}
	if response.Certificate != nil {
		return text + " delegate"
	}
	return text + " issuer"
}

func tamper(der []byte, part []byte, leaf, issuer *x509.Certificate) (int,
	int) {
	first := bytes.Index(der, part)
	num := 0

	for i := first; i < first+len(part); i++ {
		der[i] ^= 1
		if _, err := ocsp.ParseResponseForCert(der, leaf,
			issuer); err == nil {
			num++
		}
		der[i] ^= 1
	}
	return num, len(part)
}

func run(args []string) (string, error) {
	hash := crypto.SHA1

	if len(args) != 5 {
		return "", fmt.Errorf("URL ISSUER LEAF METHOD HASH")
	}
	issuer, err := read(args[1])
	if err != nil {
		return "", err
	}
	leaf, err := read(args[2])
	if err != nil {
		return "", err
	}
	if args[4] == "sha256" {
		hash = crypto.SHA256
	}
	request, err := ocsp.CreateRequest(leaf, issuer,
		&ocsp.RequestOptions{Hash: hash})
	if err != nil {
		return "", err
	}
	der, err := fetch(args[0], args[3], request)
	if err != nil {
		return "", err
	}
	response, err := ocsp.ParseResponseForCert(der, leaf, issuer)
	if err != nil {
		return "", err
	}
	if args[3] == "tampered" {
		data, dataLen := tamper(der, append([]byte{},
			response.TBSResponseData...), leaf, issuer)
		signature, signatureLen := tamper(der, append([]byte{},
			response.Signature...), leaf, issuer)
		return fmt.Sprintf("%d of %d believed", data+signature,
			dataLen+signatureLen), nil
	}
	return describe(response), nil
}

func main() {
	text, err := run(os.Args[1:])
	if err != nil {
		text = "not believed: " + err.Error()
	}
	fmt.Println(text)
}
