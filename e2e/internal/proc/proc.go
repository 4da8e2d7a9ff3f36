// Package proc builds Go programs and runs them as processes that do not outlive the test.
package proc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// Root is the directory of the e2e module. It is found from the working directory, which a test has in its package,
// since programs that are built with -trimpath do not know where their source is.
func Root() string {
	for dir, _ := os.Getwd(); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "internal", "proc", "proc.go")); err == nil {
			return dir
		}
	}
	panic("the working directory is not below the e2e module")
}

// Build builds a main package, seen from dir (relative to Root), as bin/name and returns its path. Test processes that
// want the same program at once wait for each other.
func Build(t testing.TB, dir, pkg, name string) string {
	t.Helper()
	bin := filepath.Join(Root(), "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(filepath.Join(bin, name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(bin, name)
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Dir = filepath.Join(Root(), dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// Process is a running program.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	exited chan struct{}
	state  *os.ProcessState // once exited

	mu     sync.Mutex
	output bytes.Buffer
	wrote  chan struct{} // a token when there is more output
}

// Start runs the program until the test ends, with nothing of this process's environment but PATH and HOME.
func Start(t testing.TB, path string, env []string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, exited: make(chan struct{}), wrote: make(chan struct{}, 1)}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	p.cmd.SysProcAttr = dieWithParent()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.collect(out)
	t.Cleanup(p.cleanup)
	return p
}

func (p *Process) collect(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		p.mu.Lock()
		p.output.WriteString(line)
		p.mu.Unlock()
		select {
		case p.wrote <- struct{}{}:
		default:
		}
		if err != nil {
			break
		}
	}
	_ = p.cmd.Wait()
	p.state = p.cmd.ProcessState
	close(p.exited)
}

func (p *Process) cleanup() {
	p.Kill()
	if p.t.Failed() {
		out := p.Output()
		p.t.Logf("%s said, at last:\n%s", filepath.Base(p.cmd.Path), out[max(0, len(out)-4000):])
	}
}

// Output is what the program has written so far, both streams.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Line waits for a line that contains part and returns it.
func (p *Process) Line(part string) string {
	p.t.Helper()
	deadline := time.After(wait.Patience)
	for {
		for line := range strings.Lines(p.Output()) {
			if strings.Contains(line, part) && strings.HasSuffix(line, "\n") {
				return strings.TrimSpace(line)
			}
		}
		select {
		case <-p.wrote:
		case <-p.exited:
			p.t.Fatalf("%s exited (%v) and never wrote %q:\n%s", filepath.Base(p.cmd.Path), p.state, part, p.Output())
		case <-deadline:
			p.t.Fatalf("%s never wrote %q:\n%s", filepath.Base(p.cmd.Path), part, p.Output())
		}
	}
}

// Signal sends a signal.
func (p *Process) Signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// Kill ends it at once, as the kernel does when memory is short.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Exit waits for the end and returns the exit code.
func (p *Process) Exit(within time.Duration) (code int, err error) {
	select {
	case <-p.exited:
		return p.state.ExitCode(), nil
	case <-time.After(within):
		return 0, fmt.Errorf("%s still runs after %v", filepath.Base(p.cmd.Path), within)
	}
}
