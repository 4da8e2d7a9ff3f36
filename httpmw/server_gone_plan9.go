package httpmw

import (
	"io"
	"net"
)

// goneErrors are the errors of writing to a client that has closed the connection.
var goneErrors = []error{net.ErrClosed, io.ErrClosedPipe}
