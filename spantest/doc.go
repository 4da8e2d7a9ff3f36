// Package spantest is a tracer for tests. It keeps what mocktracer keeps and watches over the life of every span:
// when the test ends, it fails for each span that was not finished exactly once or that was touched after Finish.
//
//	func TestCheckout(t *testing.T) {
//		tracer := spantest.New(t)
//		srv := httptest.NewServer(httpmw.Middleware(tracer)(newShop()))
//		defer srv.Close()
//		…
//		spans := tracer.Finished()
//	}
//
// Spans that end in other goroutines, such as a server's after its client has the response, are waited for, for a
// bounded time, by Finished and at the end of the test.
package spantest
