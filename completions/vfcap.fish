# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fish completion of vfcap. Commands, options and columns are those of the program's own tables
# (vfcap --dump-options), devices are those of the host, dump or directory on the command line.

set -g __vfcap_rows (command vfcap --dump-options 2>/dev/null)

function __vfcap_takes --argument-names option
    string match -qr "^option\t[^\t]*\t($option\t[^\t]*|[^\t]*\t$option)\t[^\t]" -- $__vfcap_rows
end

# The command on the line before the cursor, then what devices are read with, a word a line.
function __vfcap_read
    set -l words (commandline -opc)
    set -l source $words[1]
    set -l name ''
    set -l pending ''
    for word in $words[2..]
        if test -n "$pending"
            string match -qr '^(-F|--from|--sysroot)$' -- $pending; and set -a source $pending $word
            set pending ''
        else if string match -qr '^(--demo|--(from|sysroot)=.*)$' -- $word
            set -a source $word
        else if string match -q -- '-*' $word
            __vfcap_takes $word; and set pending $word
        else if test -z "$name"
            set name $word
        end
    end
    printf '%s\n' $name $source
end

function __vfcap_devices
    set -l vfcap (__vfcap_read)[2..]
    if string match -q '*/*' -- (commandline -ct)
        $vfcap list --all -n -r -o PF,INDEX 2>/dev/null | string replace -rf ' (\d+)$' '/vf$1'
    else
        $vfcap list --all -n -r -o ADDRESS,NETDEV 2>/dev/null | string split -n , | string split -n ' '
    end
end

function __vfcap_columns
    string replace -rf '^column\t'(__vfcap_read)[1]'\t([^\t]*)\t(.*)$' '$1\t$2' -- $__vfcap_rows
end

# Does the command on the line take files?
function __vfcap_takes_files
    set -l name (__vfcap_read)[1]
    test -n "$name"; and string match -qr "^command\t$name\t[^\t]*FILE" -- $__vfcap_rows
end

complete -c vfcap -f
complete -c vfcap -n __vfcap_takes_files -F
complete -c vfcap -n 'not string match -qr "^(|help)\$" -- (__vfcap_read)[1]; and not __vfcap_takes_files' \
    -a '(__vfcap_devices)'
for row in $__vfcap_rows
    set -l field (string split \t -- $row)
    switch $field[1]
        case command
            complete -c vfcap -n 'string match -qr "^(|help)\$" -- (__vfcap_read)[1]' \
                -a $field[2] -d $field[4]
        case option
            set -l spec -l (string sub -s 3 -- $field[4]) -d $field[6]
            test -z "$field[2]"; or set -a spec -n "test (__vfcap_read)[1] = $field[2]"
            test -z "$field[3]"; or set -a spec -s (string sub -s 2 -- $field[3])
            switch "$field[5]"
                case ''
                case '*|*'
                    set -a spec -x -a (string replace -a '|' ' ' -- $field[5])
                case 'COL*'
                    set -a spec -x -a '(__fish_complete_list , __vfcap_columns)'
                case 'CAP=*'
                    set -a spec -x -a 'pasid= pri='
                case SRC
                    set -a spec -r -F
                case ADDRESS
                    set -a spec -x -a '(__vfcap_devices)'
                case DIR
                    set -a spec -x -a '(__fish_complete_directories)'
                case '*'
                    set -a spec -x
            end
            complete -c vfcap $spec
    end
end
