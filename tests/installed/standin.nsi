; A program with a window, in the place of CNC Station. Asked to close it notes that it has, and
; closes; with STUBBORN it does not close.
Unicode true
Target amd64-unicode
Name "stand-in"
OutFile "${OUTFILE}"
RequestExecutionLevel user
Page directory
Page instfiles
Section
SectionEnd

Function .onUserAbort
  !ifdef STUBBORN
    Abort
  !endif
  FileOpen $0 "$PROFILE\closed.txt" w
  FileClose $0
FunctionEnd
