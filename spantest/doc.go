// Package spantest is a tracer for tests. A [Tracer] records spans as [mocktracer.MockTracer] does, and checks the life
// of each: when the test ends, [New]'s cleanup fails it for each span that was not finished exactly once or that was
// used after Finish.
//
//	func TestCheckout(t *testing.T) {
//		tracer := spantest.New(t)
//		srv := httptest.NewServer(httpmw.Middleware(tracer)(newShop()))
//		defer srv.Close()
//		…
//		spans := tracer.Finished()
//	}
//
// Some spans end in other goroutines, such as a server's after its client has the response. [Tracer.Finished] and the
// end of the test wait up to five seconds for them.
package spantest
