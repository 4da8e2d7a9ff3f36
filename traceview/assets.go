package traceview

import (
	"embed"
	"net/http"
	"path"
	"regexp"
	"sync"
)

//go:embed static/view.css static/view.js static/trace.js static/icon.svg
var staticFiles embed.FS

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

var (
	indentation = regexp.MustCompile(`(?m)^ +`)
	lineComment = regexp.MustCompile(`(?m)^//.*\n`)
	cssSpace    = regexp.MustCompile(`\s*([{};])\s*|([:,])\s+`)
)

// assets returns the style sheet, the scripts and the icon as they are served: without comments and without the spaces
// that only their readers need, which are a fifth of them.
var assets = sync.OnceValue(func() map[string][]byte {
	all := map[string][]byte{}
	files, _ := staticFiles.ReadDir("static")
	for _, f := range files {
		content, _ := staticFiles.ReadFile("static/" + f.Name()) // is embedded
		content = indentation.ReplaceAll(content, nil)
		switch path.Ext(f.Name()) {
		case ".js":
			content = lineComment.ReplaceAll(content, nil)
		case ".css":
			content = cssSpace.ReplaceAll(content, []byte("$1$2"))
		}
		all[f.Name()] = content
	}
	return all
})

func (v *View) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	content, ok := assets()[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(name)])
	_, _ = w.Write(content)
}
