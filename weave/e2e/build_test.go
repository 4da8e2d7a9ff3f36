package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// edit is what a user changes in a program to instrument it by hand.
type edit struct{ old, new string }

// byHand are the edits of each program.
var byHand = map[string][]edit{
	"shop": {
		{"import (", `import (
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
`},
		{"func main() {", `func main() {
	tracer, err := tracerinit.Start(tracerinit.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer tracer.Close()
`},
		{"grpc.NewServer()", "grpc.NewServer(grpcmw.ServerOptions(tracer)...)"},
		{"grpc.WithTransportCredentials(insecure.NewCredentials()))",
			"append(grpcmw.DialOptions(tracer), grpc.WithTransportCredentials(insecure.NewCredentials()))...)"},
		{"Handler: parts()", "Handler: httpmw.Middleware(tracer)(parts())"},
		{"Handler: zip(s.routes())", "Handler: httpmw.Middleware(tracer, httpmw.WithRoutes(s.routes()))(zip(s.routes()))"},
		{"supplier: \"http://\"", "client: *httpmw.Client(tracer, nil), supplier: \"http://\""},
	},
	"legacy": {
		{"import (", `import (
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit/jaegercfg"
`},
		{"tracer, closer, err := cfg.NewTracer()", "tracer, err := jaegercfg.Start(*cfg)"},
		{"closer.Close()", "tracer.Close()"},
		{"&http.Server{}", "&http.Server{Handler: httpmw.Middleware(tracer)(http.DefaultServeMux)}"},
		{"http.DefaultClient.Do", "httpmw.Client(tracer, nil).Do"},
	},
}

// The binaries of a program.
const (
	isWoven  = "woven"
	isByHand = "by hand"
	isBoth   = "by hand and woven"
)

var binaries = map[[2]string]string{} // of program and kind

func TestMain(m *testing.M) {
	code := 1
	if err := buildAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	for _, dir := range temporary {
		os.RemoveAll(dir)
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var temporary []string

func buildAll() error {
	out, err := os.MkdirTemp("", "weave")
	if err != nil {
		return err
	}
	edited, err := os.MkdirTemp(".", "byhand") // in this module, for its requirements
	temporary = []string{out, edited}
	if err != nil {
		return err
	}
	wovenOut, byHandOut, bothOut := filepath.Join(out, isWoven), filepath.Join(out, "hand"), filepath.Join(out, "both")
	for program, edits := range byHand {
		if err := writeEdited(filepath.Join(edited, program), program, edits); err != nil {
			return err
		}
		binaries[[2]string{program, isWoven}] = filepath.Join(wovenOut, program)
		binaries[[2]string{program, isByHand}] = filepath.Join(byHandOut, program)
		binaries[[2]string{program, isBoth}] = filepath.Join(bothOut, program)
	}
	binaries[[2]string{"quit", isWoven}] = filepath.Join(wovenOut, "quit")
	if err := run("go", "build", "-o", byHandOut+"/", "./"+edited+"/..."); err != nil {
		return err
	}
	if err := orchestrion("build", "-o", wovenOut+"/", "./shop", "./legacy", "./quit"); err != nil {
		return err
	}
	return orchestrion("build", "-o", bothOut+"/", "./"+edited+"/...")
}

// writeEdited writes a program with what instruments it by hand.
func writeEdited(dir, program string, edits []edit) error {
	source, err := os.ReadFile(filepath.Join(program, "main.go"))
	if err != nil {
		return err
	}
	text := string(source)
	for _, e := range edits {
		if strings.Count(text, e.old) != 1 {
			return fmt.Errorf("%s: %q is there %d times", program, e.old, strings.Count(text, e.old))
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600)
}

// orchestrion runs a go command by the weaver, as docs/weaving.md says.
func orchestrion(args ...string) error {
	find := exec.Command("go", "-C", "tools", "tool", "-n", "orchestrion")
	find.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	weaver, err := find.Output()
	if err != nil {
		return err
	}
	return run(strings.TrimSpace(string(weaver)), append([]string{"go"}, args...)...)
}

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "DD_ORCHESTRION_IS_GOMOD_VERSION=true", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
