# SPDX-License-Identifier: GPL-2.0-or-later
# The zsh that tests/cli/zsh/complete drives: whatever is offered for completion goes to $OFFERED.

fpath=($VFCAP_SOURCE/completions $fpath)
autoload -Uz compinit
compinit -u -D
PS1=
LISTMAX=1000

# compadd as it is, and a copy of the words that it takes. With -O, -A or -D it offers nothing.
compadd() {
	local -a words
	if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
		builtin compadd -A words "$@"
		(($#words)) && print -rl -- $words >>$OFFERED
	fi
	builtin compadd "$@"
}

finish() {
	print -r -- END >>$OFFERED
}
zle -N finish
bindkey '^I' list-choices
bindkey '^X' finish
precmd() {
	print -r -- READY >>$OFFERED
}
