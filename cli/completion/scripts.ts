// The completion scripts of bash, zsh and fish. What is typed reaches the program as arguments and is never read as code:
// a line that is only being completed may hold `$(rm …)` or `> file`, and nobody has pressed Enter yet.
import { Argument, type Command } from "commander";
import type { World } from "../desk.ts";
import { FILES } from "./offer.ts";

const BASH = `# context-edge: completion for bash
_context_edge() {
    local i current last lead line value
    local -a typed=()
    COMPREPLY=()
    for ((i = 1; i <= COMP_CWORD; i++)); do
        # Bash takes --group=a apart at the "="; here it is one word again.
        if ((\${#typed[@]})) && [[ \${COMP_WORDS[i]} == "=" || \${COMP_WORDS[i - 1]} == "=" ]]; then
            typed[\${#typed[@]} - 1]+=\${COMP_WORDS[i]}
        else
            typed+=("\${COMP_WORDS[i]}")
        fi
    done
    current=\${COMP_WORDS[COMP_CWORD]}
    [[ $current == "=" ]] && current=
    last=\${typed[\${#typed[@]} - 1]}
    lead=\${last%"$current"}
    while IFS= read -r line; do
        if [[ $line == ${FILES} ]]; then
            compopt -o default
            COMPREPLY=()
            return
        fi
        value=\${line%%$'\\t'*}
        COMPREPLY+=("\${value#"$lead"}")
    done < <(context-edge complete -- "\${typed[@]}" 2>/dev/null)
}
complete -F _context_edge context-edge
`;

const ZSH = `#compdef context-edge
# context-edge: completion for zsh, after compinit
_context_edge() {
    local line
    local -a lines offered
    lines=("\${(@f)$(context-edge complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ $lines[1] == ${FILES} ]]; then
        [[ $PREFIX == --*=* ]] && compset -P 1 '*='
        _files
        return
    fi
    for line in $lines; do
        offered+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    done
    _describe context-edge offered
}
compdef _context_edge context-edge
`;

const FISH = `# context-edge: completion for fish
function __context_edge_offer
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (context-edge complete -- $before[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = "${FILES}"
        __fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current")
    else
        printf '%s\\n' $lines
    end
end
complete -c context-edge -e
complete -c context-edge -f -a '(__context_edge_offer)'
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export function addCompletion(program: Command, { streams }: Pick<World, "streams">): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "whose script").choices(Object.keys(SCRIPTS)))
    .description("print a completion script")
    .action((shell: string) => void streams.stdout.write(SCRIPTS[shell] ?? ""))
    .addHelpText(
      "after",
      `
Examples:
  eval "$(context-edge completion bash)"      in ~/.bashrc
  source <(context-edge completion zsh)       in ~/.zshrc, after compinit
  context-edge completion fish > ~/.config/fish/completions/context-edge.fish`,
    );
}
