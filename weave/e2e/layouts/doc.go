// Package layouts weaves a program in the ways that modules are laid out: with dependencies in vendor, in a workspace,
// and in an older Go.
package layouts
