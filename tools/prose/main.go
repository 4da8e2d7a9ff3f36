// Command prose checks the language of a source tree: it reports words in comments that name no action of code, lines
// that are longer than the limit, and public packages whose documentation links to no symbol. It reads the files named as
// arguments, and exits with status 1 if it reports anything.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxLine = 120 // characters

var (
	banned = regexp.MustCompile(`(?i)\b(tells?|telling|told|asks?|asked|asking|judges?|judged|likewise|hearsay|steps? aside)\b`)
	// quoted is the text of others in a comment.
	quoted    = regexp.MustCompile("\"[^\"]*\"|`[^`]*`")
	docLink   = regexp.MustCompile(`\[[*]?[A-Za-z][\w./]*\]`)
	generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
)

func main() {
	c := checker{links: map[string]bool{}}
	for _, name := range os.Args[1:] {
		if err := c.file(name); err != nil {
			fmt.Fprintln(os.Stderr, "prose:", err)
			os.Exit(1)
		}
	}
	for dir, has := range c.links {
		if !has {
			c.report(dir, 0, "the package's documentation has no [link] to a symbol")
		}
	}
	slices.Sort(c.reports)
	for _, r := range c.reports {
		fmt.Println(r)
	}
	if len(c.reports) > 0 {
		os.Exit(1)
	}
}

type checker struct {
	reports []string
	links   map[string]bool // public packages, and whether one of their comments links to a symbol
}

func (c *checker) report(name string, line int, format string, args ...any) {
	c.reports = append(c.reports, fmt.Sprintf("%s:%d: ", name, line)+fmt.Sprintf(format, args...))
}

func (c *checker) file(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if generated.Match(text) {
		return nil
	}
	c.lines(name, string(text))
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, group := range f.Comments {
		for _, comment := range group.List {
			c.comment(name, files.Position(comment.Pos()).Line, comment.Text)
		}
	}
	if isPublic(name, f) {
		dir := path.Dir(name)
		c.links[dir] = c.links[dir] || slices.ContainsFunc(f.Comments, func(g *ast.CommentGroup) bool {
			return docLink.MatchString(g.Text())
		})
	}
	return nil
}

func (c *checker) lines(name, text string) {
	for i, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > maxLine {
			c.report(name, i+1, "%d characters, at most %d", n, maxLine)
		}
	}
}

func (c *checker) comment(name string, line int, text string) {
	for i, l := range strings.Split(text, "\n") {
		if word := banned.FindString(quoted.ReplaceAllString(l, "")); word != "" {
			c.report(name, line+i, "%q names no action of code; say what is read, set, returned, reported or counted", word)
		}
	}
}

// isPublic reports whether f belongs to a package that users import.
func isPublic(name string, f *ast.File) bool {
	return f.Name.Name != "main" && !strings.HasSuffix(name, "_test.go") &&
		!strings.Contains("/"+name, "/internal/") && path.Dir(name) != "."
}
