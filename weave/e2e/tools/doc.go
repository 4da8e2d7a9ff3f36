// Package tools pins the weaver, in a module of its own: its dependencies are none of the programs that it builds.
package tools
