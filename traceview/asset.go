package traceview

import (
	"embed"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
)

//go:embed static/view.css static/view.js static/trace.js static/beside.js static/icon.svg
var staticFiles embed.FS

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are the style sheet, the scripts and the icon by name, as they are served.
var assets = sync.OnceValue(func() map[string]string {
	files := map[string]string{}
	entries, _ := staticFiles.ReadDir("static") // it is there: see go:embed
	for _, entry := range entries {
		content, _ := staticFiles.ReadFile("static/" + entry.Name())
		switch text := indentation.ReplaceAllString(string(content), ""); path.Ext(entry.Name()) {
		case ".css":
			files[entry.Name()] = squeezeCSS(text)
		case ".js":
			files[entry.Name()] = shortenNames(squeezeJS(text))
		default:
			files[entry.Name()] = text
		}
	}
	return files
})

// asset serves the style sheet, the scripts and the icon for [View.ServeHTTP].
func (v *View) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	content, ok := assets()[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(name)])
	_, _ = w.Write([]byte(content)) // the browser has gone
}

var (
	indentation = regexp.MustCompile(`(?m)^[ ]+`)
	aroundCSS   = regexp.MustCompile(`\s*([{};,])\s*|(:)\s+|/\*[^*]*\*/`)
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
