//go:build !windows && !plan9

package httpmw

import (
	"io"
	"net"
	"syscall"
)

// goneErrors are the errors of writing to a client that has closed the connection.
var goneErrors = []error{syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNABORTED, net.ErrClosed, io.ErrClosedPipe}
