// Package http has the body that a handler reads where net/http's own must be watched. The package has this name so
// that the type prints as the one that it stands for, *http.body: what a handler logs stays the same.
package http

import "io"

// WatchBody returns a reader of b that calls onEnd whenever b has ended: after an error of Read, of which io.EOF is
// one, after Close and after WriteTo, which it has if b has it.
func WatchBody(b io.ReadCloser, onEnd func()) io.ReadCloser {
	if _, ok := b.(io.WriterTo); ok {
		return &copyingBody{body{b, onEnd}}
	}
	return &body{b, onEnd}
}

type body struct {
	inner io.ReadCloser
	onEnd func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.inner.Read(p)
	if err != nil {
		b.onEnd()
	}
	return n, err
}

func (b *body) Close() error {
	defer b.onEnd()
	return b.inner.Close()
}

type copyingBody struct{ body }

func (b *copyingBody) WriteTo(w io.Writer) (int64, error) {
	defer b.onEnd()
	return b.inner.(io.WriterTo).WriteTo(w)
}
