# SPDX-License-Identifier: MIT
# bash completion of heapdump-gdb and heapanalyze. The options are read from --help, so they are always those of the installed program.

# _heapdump_options HELP: the options that a help text lists
_heapdump_options() {
    sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+).*/\2/p' <<<"$1"
}

# _heapdump_value HELP OPTION: the word that the help shows behind the option: FILE, A|B, …; nothing for a flag
_heapdump_value() {
    case $2 in
    -o | --output-path | --output) echo FILE && return ;;
    esac
    sed -nE "s/^ +(-[a-zA-Z], )?$2 ([^ ]+).*/\2/p" <<<"$1" | head -n 1
}

# _heapdump_reply WORD CURRENT: complete the value of an option
_heapdump_reply() {
    local word=$1 current=$2
    case $word in
    FILE*) COMPREPLY=($(compgen -f -- "$current")) && compopt -o filenames ;;
    DIR) COMPREPLY=($(compgen -d -- "$current")) && compopt -o filenames ;;
    PATH) COMPREPLY=($(compgen -c -- "$current")) ;;
    *'|'*) COMPREPLY=($(compgen -W "${word//|/ }" -- "$current")) ;;
    MODE) COMPREPLY=($(compgen -W 'auto fork inline' -- "$current")) ;;
    *) COMPREPLY=() ;;
    esac
}

_heapdump_gdb() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} help value
    help=$("$1" --help 2>/dev/null) || return
    if [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $current == = ]]; then
        current='' previous=${COMP_WORDS[COMP_CWORD - 1]}
    fi
    if [[ $previous == -* ]]; then
        value=$(_heapdump_value "$help" "$previous")
        if [[ -n $value ]]; then
            _heapdump_reply "$value" "$current"
            return
        fi
    fi
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$(_heapdump_options "$help")" -- "$current"))
    else
        COMPREPLY=($(compgen -W "$(pgrep -f '[p]ython' 2>/dev/null)" -- "$current"))
    fi
}

_heapanalyze() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} commands command= word help value
    commands=$("$1" --help 2>/dev/null | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p')
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ " ${commands//$'\n'/ } " == *" $word "* ]]; then
            command=$word
            break
        fi
    done
    help=$("$1" $command --help 2>/dev/null) || return
    if [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $current == = ]]; then
        current='' previous=${COMP_WORDS[COMP_CWORD - 1]}
    fi
    if [[ $previous == -* ]]; then
        value=$(_heapdump_value "$help" "$previous")
        if [[ -n $value ]]; then
            _heapdump_reply "$value" "$current"
            return
        fi
    fi
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$(_heapdump_options "$help")" -- "$current"))
    elif [[ -z $command ]]; then
        COMPREPLY=($(compgen -W "$commands" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
        compopt -o filenames
    fi
}

complete -F _heapdump_gdb heapdump-gdb
complete -F _heapanalyze heapanalyze
