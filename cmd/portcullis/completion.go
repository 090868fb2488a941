package main

import "github.com/spf13/cobra"

func completionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands and flags in a shell",
		Long: "Completion prints what a shell needs to complete commands and flags:\n\n" +
			"  bash        source <(portcullis completion bash)   (needs bash-completion)\n" +
			"  zsh         portcullis completion zsh > \"${fpath[1]}/_portcullis\"\n" +
			"  fish        portcullis completion fish > ~/.config/fish/completions/portcullis.fish\n" +
			"  powershell  portcullis completion powershell | Out-String | Invoke-Expression\n\n" +
			"As a plugin of kubectl, whose own completion has to be on, it takes two links to the\n" +
			"command on PATH and no script:\n\n" +
			"  ln -s portcullis kubectl-portcullis\n" +
			"  ln -s portcullis kubectl_complete-portcullis",
		Args:                  cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs:             []string{"bash", "zsh", "fish", "powershell"},
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return root.GenPowerShellCompletionWithDesc(out)
		},
	}
	return cmd
}

// offer has a shell complete a flag by the values that it may have. It fails for no
// flag that is there.
func offer(cmd *cobra.Command, flag string, values ...cobra.Completion) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
