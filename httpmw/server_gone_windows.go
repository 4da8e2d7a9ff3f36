package httpmw

import (
	"io"
	"net"
	"syscall"
)

// goneErrors are the errors of writing to a client that has closed the connection. Sockets return those of Windows,
// connections of other kinds may return those that package syscall has on every system.
var goneErrors = []error{
	syscall.WSAECONNRESET, syscall.WSAECONNABORTED, syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNABORTED,
	net.ErrClosed, io.ErrClosedPipe,
}
