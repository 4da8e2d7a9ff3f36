package neighbours_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// nodeParty is a service in a process of its own, traced by a library for Node.
type nodeParty struct {
	kind    string
	http    string // URL
	grpc    string // target, "" if the library has no gRPC
	baggage bool   // whether the library carries baggage
	state   bool   // whether it carries a tracestate

	mu      sync.Mutex // one command at a time
	stdin   io.Writer
	answers chan nodeAnswer
}

// nodeKinds are the libraries, each with a format that it speaks.
var nodeKinds = []struct {
	kind           string
	baggage, state bool
}{
	{"otel:w3c", true, true},
	{"otel:b3", true, false},
	{"otel:b3multi", true, false},
	{"otel:jaeger", true, false},
	{"jaeger:uber", true, false},
	{"jaeger:b3", true, false},
	{"brave:b3multi", false, false},
	{"datadog:w3c", false, true},
	{"datadog:b3", false, false},
	{"elastic:w3c", false, true},
}

// nodeCommand is what main.js reads: a call of the next service in a new trace, or a question for spans.
type nodeCommand struct {
	Op      string            `json:"op"`
	HTTP    string            `json:"http,omitempty"`
	GRPC    string            `json:"grpc,omitempty"`
	Sampled bool              `json:"sampled"`
	Baggage map[string]string `json:"baggage,omitempty"`
	Carrier map[string]string `json:"carrier,omitempty"`
}

type nodeAnswer struct {
	Error string     `json:"error"`
	Seen  []nodeSpan `json:"seen"`
	Sent  []string   `json:"sent"` // ids of the spans of calls, where the library shows them
	HTTP  int        `json:"http"`
	GRPC  int        `json:"grpc"`
}

// nodeSpan is what a handler sees as its span.
type nodeSpan struct {
	Trace, ID, Parent string
	Sampled           bool
	Tracestate        string
	Baggage           map[string]string
}

// needNode skips the test, or fails it where CI has to have Node and its packages.
func needNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat("node/node_modules/@grpc/grpc-js")
	}
	if err == nil {
		return node
	}
	const missing = "Node 20 with its packages: run `npm ci` in e2e/neighbours/node"
	if os.Getenv("CI") != "" {
		t.Fatalf("CI needs %s: %v", missing, err)
	}
	t.Skipf("SKIPPED: no %s to test neighbours in Node", missing)
	return ""
}

// startNode starts all kinds at once and returns them by name.
func startNode(t *testing.T) map[string]*nodeParty {
	t.Helper()
	node := needNode(t)
	parties := map[string]*nodeParty{}
	for _, k := range nodeKinds {
		parties[k.kind] = &nodeParty{kind: k.kind, baggage: k.baggage, state: k.state, answers: make(chan nodeAnswer)}
		parties[k.kind].launch(t, node)
	}
	for _, p := range parties {
		ports, err := p.read()
		if err != nil {
			t.Fatalf("%s: %v", p.kind, err)
		}
		p.http = fmt.Sprintf("http://127.0.0.1:%d/", ports.HTTP)
		if ports.GRPC != 0 {
			p.grpc = fmt.Sprintf("127.0.0.1:%d", ports.GRPC)
		}
	}
	return parties
}

// launch starts the process, which ends when its standard input is closed.
func (p *nodeParty) launch(t *testing.T, node string) {
	t.Helper()
	cmd := exec.Command(node, "main.js")
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "KIND="+p.kind, "NODE_NO_WARNINGS=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.answers)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			var a nodeAnswer
			if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
				continue // what a library prints
			}
			p.answers <- a
		}
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		for range p.answers { // that no call waits for any more
		}
		<-read
		if err := cmd.Wait(); err != nil && !t.Skipped() {
			t.Logf("%s: %v\n%s", p.kind, err, stderr.String())
		}
	})
}

func (p *nodeParty) read() (nodeAnswer, error) {
	deadline := time.NewTimer(wait.Patience)
	defer deadline.Stop()
	select {
	case a, ok := <-p.answers:
		switch {
		case !ok:
			return a, errors.New("the process has ended")
		case a.Error != "":
			return a, errors.New(a.Error)
		}
		return a, nil
	case <-deadline.C:
		return nodeAnswer{}, errors.New("no answer in time")
	}
}

// do runs one command.
func (p *nodeParty) do(t *testing.T, c nodeCommand) nodeAnswer {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	a, err := p.read()
	if err != nil {
		t.Fatalf("%s: %v", p.kind, err)
	}
	return a
}

// spans returns what the party has recorded since the last call.
func (p *nodeParty) spans(t *testing.T) nodeAnswer {
	t.Helper()
	return p.do(t, nodeCommand{Op: "spans"})
}
