; The installer for Windows. `packaging/bundle/windows.py` runs makensis on it with
;   VERSION, PAYLOAD (the bundle's folder), OUTFILE, and ICON if there is one.
;
; Without a question: CNC-Station-VERSION.exe /S [/CurrentUser | /AllUsers] [/PORT=8470] [/D=FOLDER]
;   /PORT=N opens a port of this PC to other computers (administrators only): a firewall rule for
;   the program alone, which the uninstaller takes back. Without it no rule is made.
; Exit status: 0 done, 1 cancelled, 2 failed, 3 a running station did not close: nothing was changed.

Unicode true
!ifdef TARGET ; amd64-unicode for a system without 32-bit programs; not every NSIS has it
  Target ${TARGET}
!endif
!define NAME "CNC Station"
!define PROGRAM "cnc-station.exe"
!define CLASS "CNCStation.Program"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\CNC Station"
!define OWN "Software\CNC Station"
!define STILL_RUNNING 3
!ifndef PATIENCE
  !define PATIENCE 90 ; seconds for a station to close: machines come to a hold first
!endif

!define MULTIUSER_MUI
!define MULTIUSER_EXECUTIONLEVEL Highest
!define MULTIUSER_INSTALLMODE_COMMANDLINE
!define MULTIUSER_INSTALLMODE_DEFAULT_CURRENTUSER
!define MULTIUSER_USE_PROGRAMFILES64
!define MULTIUSER_INSTALLMODE_INSTDIR "${NAME}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_KEY "${OWN}"
!define MULTIUSER_INSTALLMODE_INSTDIR_REGISTRY_VALUENAME "Folder"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_KEY "${OWN}"
!define MULTIUSER_INSTALLMODE_DEFAULT_REGISTRY_VALUENAME "Mode"
!include MultiUser.nsh
!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh

Name "${NAME}"
OutFile "${OUTFILE}"
SetCompressor /SOLID lzma
ShowInstDetails nevershow
BrandingText "${NAME} ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "${NAME}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "${NAME}"
VIAddVersionKey LegalCopyright "CNC Station contributors"
!ifdef ICON
  !define MUI_ICON "${ICON}"
  !define MUI_UNICON "${ICON}"
!endif

!define MUI_FINISHPAGE_RUN "$INSTDIR\${PROGRAM}"
!insertmacro MULTIUSER_PAGE_INSTALLMODE
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English
!insertmacro MUI_LANGUAGE German

LangString RUNNING ${LANG_ENGLISH} "${NAME} is still running. Close it, then try again. Nothing was changed."
LangString RUNNING ${LANG_GERMAN} "${NAME} läuft noch. Beenden Sie es und versuchen Sie es erneut. Es wurde nichts geändert."

; Asks a running program to close, as a click on its window does, and waits until it has. The window
; asks back while a machine is at work.
!macro CloseRunning
  StrCpy $0 0
  ${DoWhile} ${FileExists} "$INSTDIR\${PROGRAM}"
    ClearErrors
    FileOpen $1 "$INSTDIR\${PROGRAM}" a ; refused while it runs
    ${IfNot} ${Errors}
      FileClose $1
      ${ExitDo}
    ${EndIf}
    ${If} $0 = 0
      nsExec::Exec 'taskkill /IM "${PROGRAM}"'
      Pop $1
    ${EndIf}
    IntOp $0 $0 + 1
    ${If} $0 > ${PATIENCE}
      SetErrorLevel ${STILL_RUNNING}
      MessageBox MB_OK|MB_ICONEXCLAMATION "$(RUNNING)" /SD IDOK
      Quit
    ${EndIf}
    Sleep 1000
  ${Loop}
!macroend

; Removes what an installer wrote here, and nothing that somebody else has put beside it.
!macro RemoveFiles
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\${PROGRAM}"
!macroend

!macro RegisterEnding ENDING
  WriteRegStr SHCTX "Software\Classes\.${ENDING}\OpenWithProgids" "${CLASS}" ""
!macroend

!macro ForgetEnding ENDING
  DeleteRegValue SHCTX "Software\Classes\.${ENDING}\OpenWithProgids" "${CLASS}"
!macroend

!macro RemoveRule
  ReadRegStr $1 SHCTX "${OWN}" "Port"
  ${If} $1 != ""
    nsExec::Exec 'netsh advfirewall firewall delete rule name="${NAME}"'
    Pop $2
    DeleteRegValue SHCTX "${OWN}" "Port"
  ${EndIf}
!macroend

Section "${NAME}"
  SectionIn RO
  !insertmacro CloseRunning
  !insertmacro RemoveFiles
  SetOutPath "$INSTDIR"
  ClearErrors
  File /r "${PAYLOAD}/*.*"
  ${If} ${Errors}
    SetErrorLevel 2
    Abort
  ${EndIf}
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr SHCTX "${OWN}" "Folder" "$INSTDIR"
  WriteRegStr SHCTX "${OWN}" "Mode" "$MultiUser.InstallMode"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayName" "${NAME}"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayIcon" "$INSTDIR\${PROGRAM}"
  WriteRegStr SHCTX "${UNINSTALL}" "Publisher" "CNC Station contributors"
  WriteRegStr SHCTX "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode'
  WriteRegStr SHCTX "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /$MultiUser.InstallMode /S'
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD SHCTX "${UNINSTALL}" "EstimatedSize" "$0"
SectionEnd

Section "Start menu"
  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${PROGRAM}"
SectionEnd

Section "Open NC programs with it (.nc .ngc .tap .gcode)"
  WriteRegStr SHCTX "Software\Classes\${CLASS}" "" "NC program"
  WriteRegStr SHCTX "Software\Classes\${CLASS}\DefaultIcon" "" "$INSTDIR\${PROGRAM},0"
  WriteRegStr SHCTX "Software\Classes\${CLASS}\shell\open\command" "" '"$INSTDIR\${PROGRAM}" open "%1"'
  !insertmacro RegisterEnding nc
  !insertmacro RegisterEnding ngc
  !insertmacro RegisterEnding tap
  !insertmacro RegisterEnding gcode
  ${RefreshShellIcons}
SectionEnd

; Without a page: whoever opens a port to the network writes its number on the command line.
Section "-Firewall"
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PORT=" $3
  ${IfNot} ${Errors}
  ${AndIf} $MultiUser.InstallMode == "AllUsers"
    !insertmacro RemoveRule
    nsExec::Exec 'netsh advfirewall firewall add rule name="${NAME}" dir=in action=allow protocol=TCP localport=$3 profile=private,domain program="$INSTDIR\${PROGRAM}"'
    Pop $2
    WriteRegStr SHCTX "${OWN}" "Port" "$3"
  ${EndIf}
SectionEnd

Section "Uninstall"
  !insertmacro CloseRunning
  !insertmacro RemoveRule
  !insertmacro RemoveFiles
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR" ; only if it is empty
  Delete "$SMPROGRAMS\${NAME}.lnk"
  !insertmacro ForgetEnding nc
  !insertmacro ForgetEnding ngc
  !insertmacro ForgetEnding tap
  !insertmacro ForgetEnding gcode
  DeleteRegKey SHCTX "Software\Classes\${CLASS}"
  DeleteRegKey SHCTX "${UNINSTALL}"
  DeleteRegKey SHCTX "${OWN}"
  ${RefreshShellIcons}
  ; The data of people, in %LOCALAPPDATA%\cnc-station, stay.
SectionEnd

Function .onInit
  !insertmacro MULTIUSER_INIT
FunctionEnd

Function un.onInit
  !insertmacro MULTIUSER_UNINIT
FunctionEnd
