// Package ports finds ports for programs that cannot say which one they were given.
package ports

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// Systems choose the ports of connections, and of listeners on port 0, from ranges that begin at 32768 or above. A port
// below is not taken by chance between the time it is found and the time a program listens on it. Each process of tests
// has a block of these ports to itself and takes them in order, so that other tests do not take it, either.
const first, last, blockSize = 20000, 32000, 400

var (
	mu    sync.Mutex
	block *os.File // locked, and open until the process ends
	begin int      // the first port of the block
	taken int      // of the block, which begins anew after its end
)

// Free returns n loopback addresses that are free for TCP and UDP.
func Free(t testing.TB, n int) (addrs []string) {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if block == nil && !lock() {
		t.Fatal("no block of ports is left")
	}
	for range blockSize {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(begin+taken%blockSize))
		taken++
		if !free(addr) {
			continue
		}
		if addrs = append(addrs, addr); len(addrs) == n {
			return addrs
		}
	}
	t.Fatal("no free ports")
	return nil
}

// lock takes the first block that no other process has.
func lock() bool {
	for begin = first; begin+blockSize <= last; begin += blockSize {
		name := filepath.Join(os.TempDir(), fmt.Sprint("spanloom-ports-", begin, ".lock"))
		file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil { // it is another user's
			continue
		}
		if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			block = file
			return true
		}
		file.Close()
	}
	return false
}

func free(addr string) bool {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}
