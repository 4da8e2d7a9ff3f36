package export

import (
	"bufio"
	"bytes"
	"net/http"
)

// frame finds the end of an answer of HTTP/1 in the bytes that a server sends, since some send a body where there can
// be none, such as after a 204, or more than they announced. net/http would write to the standard log about such bytes.
// An answer whose length the server does not announce has no end here. The zero value is ready for one answer.
type frame struct {
	header []byte // what was read of the header, nil once it is complete
	open   bool   // the length is not known
	body   bool   // the header is complete, and left is what remains of the body
	left   int64
}

// take returns how many of the next bytes of a connection are part of the answer.
func (f *frame) take(b []byte) int {
	if f.open {
		return len(b)
	}
	taken := 0
	for !f.body {
		n := f.takeHeader(b[taken:])
		taken += n
		if f.open {
			return len(b)
		}
		if n == 0 {
			return taken
		}
	}
	n := min(int64(len(b)-taken), f.left)
	f.left -= n
	return taken + int(n)
}

// takeHeader returns how many bytes of b are part of a header.
func (f *frame) takeHeader(b []byte) int {
	before := len(f.header)
	f.header = append(f.header, b...)
	end := headerEnd(f.header, max(before-2, 0))
	if end < 0 {
		f.open = len(f.header) > replyBytes // net/http refuses it
		return len(b)
	}
	header := bufio.NewReader(bytes.NewReader(f.header[:end]))
	resp, err := http.ReadResponse(header, &http.Request{Method: http.MethodPost})
	f.header = nil
	switch {
	case err != nil || resp.StatusCode == http.StatusSwitchingProtocols:
		f.open = true
	case resp.StatusCode >= http.StatusOK: // those before it announce another answer
		f.body, f.left, f.open = true, resp.ContentLength, resp.ContentLength < 0
	}
	return end - before
}

// headerEnd returns the length of the header that b begins with, -1 if it is not complete. It does not end before from.
// As for net/http, lines may end without a carriage return.
func headerEnd(b []byte, from int) int {
	for i := from; i < len(b); i++ {
		if b[i] != '\n' {
			continue
		}
		if rest := b[i+1:]; bytes.HasPrefix(rest, []byte("\n")) {
			return i + 2
		} else if bytes.HasPrefix(rest, []byte("\r\n")) {
			return i + 3
		}
	}
	return -1
}
