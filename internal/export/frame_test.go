package export

import (
	"fmt"
	"strings"
	"testing"
)

func TestFramesEndWhereTheirAnswerDoes(t *testing.T) {
	for name, c := range map[string]struct{ answer, more string }{
		"a body":                       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\n"},
		"no body":                      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "x"},
		"204":                          {"HTTP/1.1 204 No Content\r\n\r\n", "no content"},
		"204 with a length":            {"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "{}"},
		"304":                          {"HTTP/1.1 304 Not Modified\r\n\r\n", "{}"},
		"early hints":                  {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 1\r\n\r\nx", "y"},
		"lines without returns":        {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "y"},
		"chunks":                       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ""},
		"until the connection's end":   {"HTTP/1.0 200 OK\r\n\r\nhello", ""},
		"no HTTP":                      {"hello\r\n\r\nhello", ""},
		"another protocol":             {"HTTP/1.1 101 Switching Protocols\r\n\r\nhello", ""},
		"a header without end":         {"HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 1<<16), ""},
		"two lengths":                  {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", ""},
		"a length that is no number":   {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello!", ""},
		"a length that is a large one": {"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nhello!", ""},
	} {
		for _, size := range []int{1, 2, 3, 7, 1 << 20} {
			t.Run(fmt.Sprintf("%s in pieces of %d", name, size), func(t *testing.T) {
				var f frame
				taken, all := 0, []byte(c.answer+c.more)
				for len(all) > 0 {
					n := min(size, len(all))
					taken += f.take(all[:n])
					all = all[n:]
				}
				if taken != len(c.answer) {
					t.Errorf("in parts of %d bytes %d are taken, want %d", size, taken, len(c.answer))
				}
			})
		}
	}
}
