package proc

import "syscall"

// dieWithParent keeps a process from outliving a test that is killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
