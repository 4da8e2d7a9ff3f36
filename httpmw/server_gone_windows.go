package httpmw

import (
	"io"
	"net"
	"syscall"
)

// goneErrors are the errors of writing to a client that has closed the connection.
var goneErrors = []error{syscall.WSAECONNRESET, syscall.WSAECONNABORTED, net.ErrClosed, io.ErrClosedPipe}
