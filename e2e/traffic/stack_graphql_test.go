package traffic_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/go-chi/chi/v5"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// graphQL is a server as gqlgen's own documentation sets it up, with a schema that needs no generated code. Mutations
// panic, and a subscription has three answers.
func graphQL(w *world) *handler.Server {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { name: String! }
		type Mutation { name: String! }
		type Subscription { name: String! }`})
	server := handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc: func() *ast.Schema { return schema },
		ComplexityFunc: func(context.Context, string, string, int, map[string]any) (int, bool) {
			return 1, true
		},
		ExecFunc: func(ctx context.Context) graphql.ResponseHandler {
			op := graphql.GetOperationContext(ctx).Operation.Operation
			w.saw("server", "%s %v", op, ctx.Err())
			left := map[ast.Operation]int{ast.Query: 1, ast.Mutation: 1, ast.Subscription: 3}[op]
			return func(context.Context) *graphql.Response {
				if left == 0 {
					return nil
				}
				left--
				if op == ast.Mutation {
					panic("a resolver's")
				}
				return &graphql.Response{Data: fmt.Appendf(nil, `{"name":%q}`, fmt.Sprint(op, left))}
			}
		},
	})
	server.AddTransport(transport.SSE{})
	server.AddTransport(transport.Options{})
	server.AddTransport(transport.GET{})
	server.AddTransport(transport.MultipartForm{})
	server.AddTransport(transport.POST{})
	server.AddTransport(transport.Websocket{KeepAlivePingInterval: time.Minute})
	return server
}

func TestGraphQL(t *testing.T) {
	form := "--B\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"{name}\"}\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--B--\r\n"
	stacks := []stack{{
		name: "gqlgen",
		handler: func(w *world, use func(http.Handler) http.Handler) http.Handler {
			r := chi.NewRouter()
			r.Use(use)
			r.Handle("/query", graphQL(w))
			return r
		},
		requests: []request{
			get("/query?query={name}"), get("/query?query={nothing}"), get("/query"),
			post("/query", `{"query":"{name}"}`), post("/query", `{"query":"mutation{name}"}`), post("/query", `{`),
			post("/query", `{"query":"subscription{name}"}`, "Accept", "text/event-stream"),
			{http.MethodPost, "/query", form, []string{"Content-Type", "multipart/form-data; boundary=B"}},
			{http.MethodOptions, "/query", "", nil},
		},
	}}
	runStacks(t, stacks)
}

func TestGraphQL_websocket(t *testing.T) {
	equal(t, func(w *world) {
		server := w.server(graphQL(w))
		ctx := w.t.Context()
		conn, resp, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: w.client(&http.Transport{}),
		})
		if err != nil {
			w.t.Fatal(err)
		}
		defer conn.CloseNow()
		w.saw("client", "%s %s", resp.Status, conn.Subprotocol())
		for _, m := range []map[string]any{
			{"type": "connection_init"},
			{"type": "subscribe", "id": "1", "payload": map[string]any{"query": "subscription{name}"}},
		} {
			if err := wsjson.Write(ctx, conn, m); err != nil {
				w.t.Fatal(err)
			}
		}
		for answer := map[string]any{}; answer["type"] != "complete"; {
			clear(answer)
			if err := wsjson.Read(ctx, conn, &answer); err != nil {
				w.t.Fatal(err)
			}
			w.saw("client", "%v", answer)
		}
		w.saw("client", "%v", conn.Close(websocket.StatusNormalClosure, ""))
	})
}
