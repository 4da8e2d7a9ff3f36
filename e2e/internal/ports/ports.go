// Package ports finds ports for programs that cannot say which one they were given.
package ports

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Systems choose the ports of connections, and of listeners on port 0, from ranges that begin at 32768 or above. A port
// below is not taken by chance between the time it is found and the time a program listens on it.
const first, last = 20000, 32000

// Free returns n loopback addresses that are free for TCP and UDP. All are held until the last is found, so they
// differ.
func Free(t testing.TB, n int) (addrs []string) {
	t.Helper()
	for range 100 * n {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(last-first)))
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		defer tcp.Close()
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		defer udp.Close()
		if addrs = append(addrs, addr); len(addrs) == n {
			return addrs
		}
	}
	t.Fatal("no free ports")
	return nil
}
