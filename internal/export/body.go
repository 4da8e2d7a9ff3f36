package export

import (
	"io"
	"net/http"
	"sync"
)

// body is a request body whose bytes will be used again: net/http may go on reading a body after its RoundTrip has
// returned, so detach takes the bytes away from the readers.
type body struct {
	mu   sync.Mutex
	data []byte
	gone bool
}

func (b *body) detach() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data, b.gone = nil, true
}

func (b *body) reader() io.ReadCloser { return &bodyReader{body: b} }

// bodyReader reads a body from its start.
type bodyReader struct {
	body *body
	at   int
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.body.mu.Lock()
	defer r.body.mu.Unlock()
	switch {
	case r.body.gone:
		return 0, http.ErrBodyReadAfterClose
	case r.at == len(r.body.data):
		return 0, io.EOF
	}
	n := copy(p, r.body.data[r.at:])
	r.at += n
	return n, nil
}

func (*bodyReader) Close() error { return nil }
