//go:build unix

package tracerinit

import (
	"net"
	"os"
	"syscall"
)

// pendingError returns, and clears, the error that came back for a datagram sent over c. From the loopback interface
// it is there as soon as the datagram is written.
func pendingError(c *net.UDPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var errno int
	var failed error
	err = raw.Control(func(fd uintptr) {
		errno, failed = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return os.NewSyscallError("getsockopt", failed)
	case errno != 0:
		return os.NewSyscallError("write", syscall.Errno(errno))
	}
	return nil
}
