package export

import (
	"io"
	"net/http"
	"testing"
)

func TestABodyIsOutOfReachOnceDetached(t *testing.T) {
	data := make([]byte, 1<<20)
	b := &body{data: data}
	first, err := io.ReadAll(b.reader())
	if err != nil || len(first) != len(data) {
		t.Fatalf("%d bytes, %v", len(first), err)
	}
	stray := b.reader() // as net/http's, left behind by a cancelled request
	end := make(chan error)
	go func() {
		for {
			if _, err := stray.Read(make([]byte, 512)); err != nil {
				end <- err
				return
			}
		}
	}()
	b.detach()
	clear(data) // the next batch; a race if the reader can still see it
	if err := <-end; err != http.ErrBodyReadAfterClose && err != io.EOF {
		t.Error(err)
	}
	if n, err := b.reader().Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a reader made later got %d bytes, %v", n, err)
	}
}
