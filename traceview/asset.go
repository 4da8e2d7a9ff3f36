package traceview

import (
	"embed"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
)

//go:embed static
var staticFiles embed.FS

// assetParts are the files that make up each asset, in the order in which they are joined: a page makes one request for
// all of them. Rules of the style sheet that weigh the same depend on the order. The parts of a script are one function
// in strict mode, so that each part sees what the others declare and nothing is global.
var assetParts = map[string][]string{
	"icon.svg": {"icon.svg"},
	"view.css": inDir("style", "colours.css", "page.css", "list.css", "trace.css", "span.css", "figures.css",
		"in_flight.css", "narrow.css", "help.css", "trace_tools.css", "compare.css", "beside.css", "print.css"),
	"view.js": inDir("view", "live.js", "list.js", "age.js", "search.js", "refresh.js", "import.js", "copy.js", "keys.js"),
	"trace.js": inDir("trace", "spans.js", "address.js", "elements.js", "rows.js", "draw.js", "zoom.js", "select.js",
		"fold.js", "detail.js", "controls.js", "name_width.js", "pin.js", "keys.js", "live.js", "start.js"),
	"beside.js": inDir("beside", "list.js"),
}

func inDir(dir string, names ...string) []string {
	for i := range names {
		names[i] = dir + "/" + names[i]
	}
	return names
}

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// servedAsset is an asset as it is served. Its tag changes when its content does.
type servedAsset struct{ content, tag string }

// assets are the style sheet, the scripts and the icon by name.
var assets = sync.OnceValue(func() map[string]servedAsset {
	files := map[string]servedAsset{}
	for name, parts := range assetParts {
		var joined strings.Builder
		for _, part := range parts {
			content, _ := staticFiles.ReadFile("static/" + part) // it is there: see go:embed
			joined.Write(content)
		}
		text := indentation.ReplaceAllString(joined.String(), "")
		switch path.Ext(name) {
		case ".css":
			text = squeezeCSS(text)
		case ".js":
			text = shortenNames(squeezeJS("(() => {\n\"use strict\";\n" + text + "})();\n"))
		}
		hash := fnv.New64a()
		_, _ = io.WriteString(hash, text) // a hash takes everything
		files[name] = servedAsset{text, fmt.Sprintf("\"%x\"", hash.Sum64())}
	}
	return files
})

// asset serves the style sheet, the scripts and the icon for [View.ServeHTTP]. Browsers keep them, and read them again
// only if they have changed.
func (v *View) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	a, ok := assets()[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", a.tag)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(a.content))
}

var (
	indentation = regexp.MustCompile(`(?m)^[ ]+`)
	aroundCSS   = regexp.MustCompile(`\s*([{};,])\s*|(:)\s+|/\*[^*]*\*/\s*`)
)

// squeezeCSS takes out comments and white space without meaning. No selector and no string of the style sheet holds any
// of what it looks for.
func squeezeCSS(text string) string {
	return strings.ReplaceAll(aroundCSS.ReplaceAllString(text, "$1$2"), ";}", "}")
}

const punctuation = "(){}[];,=<>?:&|+-*/!"

// squeezeJS takes out comments, blanks beside punctuation, semicolons at the end of a block, and line breaks where a
// statement has just ended or begun. Others stay, since they can end statements, and so does all within strings,
// templates and regular expressions.
func squeezeJS(text string) string {
	var out strings.Builder
	last := byte('\n')
	for i := 0; i < len(text); {
		c := text[i]
		end := i + 1
		switch {
		case strings.HasPrefix(text[i:], "//"):
			i += strings.IndexByte(text[i:]+"\n", '\n')
			continue
		case c == '\n' && strings.IndexByte("\n{};,(", last) >= 0,
			(c == '\n' || c == ';') && strings.HasPrefix(strings.TrimLeft(text[end:], " \n"), "}"):
			i++
			continue
		case startsLiteral(c, last):
			end = literalEnd(text, i)
		case c == ' ' && end < len(text) && text[end] != '/' && last != '/' && text[end] != last &&
			(strings.IndexByte(punctuation, last) >= 0 || strings.IndexByte(punctuation, text[end]) >= 0):
			i++
			continue
		}
		out.WriteString(text[i:end])
		if c != ' ' {
			last = text[end-1]
		}
		i = end
	}
	return out.String()
}

// startsLiteral reports whether a character after another starts a string, a template or a regular expression.
func startsLiteral(c, last byte) bool {
	return c == '"' || c == '\'' || c == '`' || c == '/' && strings.IndexByte("\n(,=:[!&|?{;", last) >= 0
}

// literalEnd returns where the string, template or regular expression that starts at i ends. A slash in a class of a
// regular expression does not end it.
func literalEnd(text string, i int) int {
	quote, class := text[i], false
	for k := i + 1; k < len(text); k++ {
		switch c := text[k]; {
		case c == '\\':
			k++
		case quote == '/' && (c == '[' || c == ']'):
			class = c == '['
		case c == quote && !class:
			return k + 1
		}
	}
	return len(text)
}
