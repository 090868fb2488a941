{{- /* Config and Policy, given as the text of a file or as values. */ -}}

{{- /* The Config as YAML, whichever way it was given. */ -}}
{{- define "portcullis.config" -}}
{{- $config := .Values.config -}}
{{- if kindIs "string" $config -}}
{{- $config = fromYaml $config -}}
{{- with $config.Error }}{{ fail (printf "config is not YAML: %s" .) }}{{ end -}}
{{- else -}}
{{- $config = mergeOverwrite (dict "apiVersion" "portcullis.dev/v1alpha1" "kind" "Config" "policyFile" "policy.yaml") ($config | default dict) -}}
{{- end -}}
{{- $_ := required "config.seed is missing: give the seed's Config, by --set-file config=config.yaml or as values" $config.seed -}}
{{- if ne (toString $config.policyFile) "policy.yaml" -}}
{{- fail (printf "config: policyFile is %q; the chart keeps the Policy beside the Config: say policyFile: policy.yaml" (toString $config.policyFile)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The text of config.yaml. */ -}}
{{- define "portcullis.configText" -}}
{{- $checked := include "portcullis.config" . -}}
{{- kindIs "string" .Values.config | ternary .Values.config $checked -}}
{{- end -}}

{{- /* The text of policy.yaml. Helm has read the words `off`, `yes` and `no` as
truth values, which the Policy does not know. */ -}}
{{- define "portcullis.policyText" -}}
{{- $policy := required "policy is missing: give it by --set-file policy=policy.yaml or as values" .Values.policy -}}
{{- if kindIs "string" $policy -}}
{{- $policy -}}
{{- else -}}
{{- $policy = mergeOverwrite (dict "apiVersion" "portcullis.dev/v1alpha1" "kind" "Policy") (deepCopy $policy) -}}
{{- range $name, $severity := $policy.rules -}}
{{- if eq (toString $severity) "false" }}{{ $_ := set $policy.rules $name "off" }}{{ end -}}
{{- end -}}
{{- range $policy.seeds -}}
{{- $profile := .loadBalancer -}}
{{- if kindIs "map" $profile -}}
{{- range $key, $value := $profile -}}
{{- if kindIs "bool" $value }}{{ $_ := set $profile $key (ternary "yes" "no" $value) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $policy -}}
{{- end -}}
{{- end -}}
