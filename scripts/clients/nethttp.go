// Go: net/http, alone.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	client := http.Client{Timeout: 10 * time.Second}
	var answer *http.Response
	var err error
	if len(os.Args) > 2 {
		size, _ := strconv.Atoi(os.Args[2])
		answer, err = client.Post(os.Args[1], "text/plain", strings.NewReader(strings.Repeat("x", size)))
	} else {
		answer, err = client.Get(os.Args[1])
	}
	if err != nil {
		fail(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	if err != nil {
		fail(err)
	}
	fmt.Println(string(body))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
