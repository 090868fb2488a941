package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/portcullis-gitops/portcullis/render"
)

func TestServiceRangesAreKKPsFormula(t *testing.T) {
	t.Parallel()
	source, defaults := []string{"192.0.2.0/24"}, []string{"10.0.0.0/8", "192.0.2.0/24"}
	for name, c := range map[string]struct {
		seed render.SeedRanges
		live render.Live
		want []string
	}{
		"absent, nothing on the Seed":   {want: nil},
		"absent, default ranges only":   {seed: render.SeedRanges{Default: defaults}, want: nil},
		"absent, source ranges":         {seed: render.SeedRanges{Source: source, Default: defaults}, want: source},
		"empty, nothing on the Seed":    {live: render.Live{Set: true}, want: nil},
		"empty, default ranges":         {seed: render.SeedRanges{Default: defaults}, live: render.Live{Set: true}, want: defaults},
		"a list, all sorted as strings": {live: render.Live{Set: true, CIDRs: []string{"9.0.0.0/8", "100.0.0.0/8"}}, want: []string{"100.0.0.0/8", "9.0.0.0/8"}},
		"all three, each once": {
			seed: render.SeedRanges{Source: source, Default: defaults}, live: render.Live{Set: true, CIDRs: []string{"10.0.0.0/8", "9.0.0.0/8"}},
			want: []string{"10.0.0.0/8", "192.0.2.0/24", "9.0.0.0/8"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(c.live.CIDRs)
			if got := serviceRanges(c.seed, c.live); !slices.Equal(got, c.want) {
				t.Errorf("%v, not %v", got, c.want)
			}
			if !slices.Equal(before, c.live.CIDRs) {
				t.Error("the live list was changed")
			}
		})
	}
}

func TestServiceCarriesExactlyTheRanges(t *testing.T) {
	t.Parallel()
	ranges := []string{"10.0.0.0/8", "9.0.0.0/8"}
	for name, c := range map[string]struct {
		field      []string
		annotation string
		ranges     []string
		want       bool
	}{
		"both":                       {ranges, "10.0.0.0/8,9.0.0.0/8", ranges, true},
		"neither, for none":          {nil, "", nil, true},
		"the field alone":            {ranges, "", ranges, false},
		"the annotation alone":       {nil, "10.0.0.0/8,9.0.0.0/8", ranges, false},
		"one more":                   {append([]string{"0.0.0.0/0"}, ranges...), "10.0.0.0/8,9.0.0.0/8", ranges, false},
		"an annotation of the past":  {nil, "10.0.0.0/8", nil, false},
		"another order (not KKP's)":  {[]string{"9.0.0.0/8", "10.0.0.0/8"}, "9.0.0.0/8,10.0.0.0/8", ranges, false},
		"an annotation with a blank": {ranges, "10.0.0.0/8, 9.0.0.0/8", ranges, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc := &corev1.Service{}
			svc.Spec.LoadBalancerSourceRanges = c.field
			if c.annotation != "" {
				svc.Annotations = map[string]string{rangesAnnotation: c.annotation}
			}
			if got := carries(svc, c.ranges); got != c.want {
				t.Errorf("carries: %t", got)
			}
		})
	}
}

func TestOnlyCanonicalPrefixesAreWritten(t *testing.T) {
	t.Parallel()
	ok := netip.MustParsePrefix("203.0.113.0/24")
	got, err := blocks([]netip.Prefix{ok, netip.MustParsePrefix("2001:db8::/32")})
	if err != nil || !slices.Equal(got, []string{"203.0.113.0/24", "2001:db8::/32"}) {
		t.Errorf("%v, %v", got, err)
	}
	for name, bad := range map[string]netip.Prefix{
		"host bits": netip.MustParsePrefix("203.0.113.1/24"),
		"nothing":   {},
		"4 in 6":    netip.PrefixFrom(netip.MustParseAddr("::ffff:203.0.113.0"), 120),
	} {
		if got, err := blocks([]netip.Prefix{ok, bad}); err == nil {
			t.Errorf("%s: %v would be written", name, got)
		}
	}
	if got, err := blocks(nil); err == nil {
		t.Errorf("an empty list would be written: %v", got)
	}
}

func TestSameAddresses(t *testing.T) {
	t.Parallel()
	list := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	for live, want := range map[string]bool{
		"10.0.0.0/24 2001:db8::/32":                   true,
		"2001:db8::/32 10.0.0.0/24":                   true,
		"10.0.0.0/25 10.0.0.128/25 2001:db8::/32":     true,
		"10.0.0.0/24 10.0.0.7/32 2001:db8::/32":       true,
		"10.0.0.0/24":                                 false,
		"10.0.0.0/24 2001:db8::/32 0.0.0.0/0":         false,
		"10.0.0.1/24 2001:db8::/32":                   false, // not canonical: KKP would stop on it
		"10.0.0.0/24 2001:0db8::/32":                  false,
		"10.0.0.0/24 2001:db8::/32 office":            false,
		"10.0.0.0/24 2001:db8::/32 ::ffff:10.0.0.0/1": false,
		"": false,
	} {
		if got := sameAddresses(strings.Fields(live), list); got != want {
			t.Errorf("%q: %t", live, got)
		}
	}
}

// What the API server writes for a dashboard that keeps its hold on the object
// around the list, and on other fields of the same name, after ours took the
// list itself.
const aroundTheList = `{"f:spec":{"f:apiServerAllowedIPRanges":{".":{}},"f:clusterNetwork":{"f:pods":{"f:cidrBlocks":{}}}}}`

func managed(manager string, op metav1.ManagedFieldsOperationType, fields string, at time.Time) metav1.ManagedFieldsEntry {
	raw := &metav1.FieldsV1{}
	raw.SetRawBytes([]byte(fields))
	when := metav1.NewTime(at)
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: op, Time: &when, FieldsV1: raw}
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	const whole = `{"f:spec":{".":{},"f:apiServerAllowedIPRanges":{".":{},"f:cidrBlocks":{}},"f:cloud":{}}}`
	mine := managed(Manager, metav1.ManagedFieldsOperationApply, `{"f:spec":{"f:apiServerAllowedIPRanges":{"f:cidrBlocks":{}}}}`, now)
	theirs := managed("kubermatic-api", metav1.ManagedFieldsOperationUpdate, whole, now)
	older := managed("kubectl-edit", metav1.ManagedFieldsOperationUpdate, whole, now.Add(-time.Hour))
	around := managed("kubermatic-api", metav1.ManagedFieldsOperationUpdate, aroundTheList, now)
	byUpdate := managed(Manager, metav1.ManagedFieldsOperationUpdate, whole, now)
	for name, c := range map[string]struct {
		entries []metav1.ManagedFieldsEntry
		ours    bool
		writer  string
	}{
		"nobody's":              {nil, false, "another client"},
		"ours":                  {[]metav1.ManagedFieldsEntry{around, mine}, true, "another client"},
		"the dashboard's":       {[]metav1.ManagedFieldsEntry{older, theirs}, false, "kubermatic-api"},
		"shared":                {[]metav1.ManagedFieldsEntry{mine, theirs}, true, "kubermatic-api"},
		"our name, by another":  {[]metav1.ManagedFieldsEntry{byUpdate}, false, Manager},
		"only what is around":   {[]metav1.ManagedFieldsEntry{around}, false, "another client"},
		"the newest is named":   {[]metav1.ManagedFieldsEntry{theirs, older}, false, "kubermatic-api"},
		"a broken entry is not": {[]metav1.ManagedFieldsEntry{{Manager: Manager, Operation: "Apply"}}, false, "another client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cl := &Cluster{}
			cl.ManagedFields = c.entries
			for range 2 { // trimmed, and trimmed again
				if ours(cl) != c.ours || writer(cl) != c.writer {
					t.Errorf("ours: %t, writer: %s", ours(cl), writer(cl))
				}
				cl.ManagedFields = owners(cl.ManagedFields)
			}
		})
	}
}

func TestTrimmedClusterKeepsWhatIsReadAndNoMore(t *testing.T) {
	t.Parallel()
	c := &Cluster{}
	c.Name, c.UID, c.ResourceVersion, c.Generation = "c1", "u1", "7", 3
	c.Labels = map[string]string{"project-id": "p1"}
	c.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", "portcullis.dev/pause-until": "x"}
	c.Finalizers = []string{"kubermatic.k8c.io/cleanup"}
	if _, err := trimCluster(c); err != nil {
		t.Fatal(err)
	}
	if len(c.Finalizers) != 0 || !reflect.DeepEqual(c.Annotations, map[string]string{"portcullis.dev/pause-until": "x"}) {
		t.Errorf("kept: %+v", c.ObjectMeta)
	}
	if c.Name != "c1" || c.UID != "u1" || c.ResourceVersion != "7" || c.Generation != 3 || c.Labels["project-id"] != "p1" {
		t.Errorf("lost: %+v", c.ObjectMeta)
	}
}

func TestNoiseIsToldFromNews(t *testing.T) {
	t.Parallel()
	base := func() *Cluster {
		c := &Cluster{}
		c.Name, c.UID, c.ResourceVersion, c.Generation = "c1", "u1", "1", 1
		c.Labels = map[string]string{"project-id": "p1"}
		c.Spec.ExposeStrategy = "LoadBalancer"
		return c
	}
	for name, c := range map[string]struct {
		change     func(*Cluster)
		plan, here bool // is it the same to the plan, to the controller
	}{
		"a heartbeat in the status": {func(*Cluster) {}, true, true},
		"a label":                   {func(c *Cluster) { c.Labels["colour"] = "blue" }, false, true},
		"made anew":                 {func(c *Cluster) { c.UID = "u2" }, false, true},
		"a namespace":               {func(c *Cluster) { c.Status.NamespaceName = "cluster-c1" }, false, false},
		"paused":                    {func(c *Cluster) { c.Spec.Pause = true }, false, true},
		"the strategy":              {func(c *Cluster) { c.Spec.ExposeStrategy = "NodePort" }, false, true},
		"renamed":                   {func(c *Cluster) { c.Spec.HumanReadableName = "x" }, false, true},
		"deleted":                   {func(c *Cluster) { c.DeletionTimestamp = &metav1.Time{} }, false, true},
		"the list":                  {func(c *Cluster) { c.Spec.AllowedIPRanges = &AllowedIPRanges{CIDRBlocks: []string{"x"}} }, true, false},
		"absent turned to []":       {func(c *Cluster) { c.Spec.AllowedIPRanges = &AllowedIPRanges{} }, true, false},
		"the owner of the list": {func(c *Cluster) {
			c.ManagedFields = owners([]metav1.ManagedFieldsEntry{managed("x", "Update", string(listOwned), time.Time{})})
		}, true, false},
		"what KKP says":             {func(c *Cluster) { c.Status.ErrorReason = "ReconcileError" }, true, false},
		"another field of the spec": {func(c *Cluster) { c.Generation = 2 }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := base(), base()
			after.ResourceVersion = "2"
			c.change(after)
			if got := sameToPlan(before, after); got != c.plan {
				t.Errorf("same to the plan: %t", got)
			}
			if got := sameToUs(before, after); got != c.here {
				t.Errorf("same to the controller: %t", got)
			}
		})
	}
	if c := base(); sameToUs(c, c) {
		t.Error("a repeated version is not looked at")
	}
}

func TestJudgement(t *testing.T) {
	t.Parallel()
	clusters := schema.GroupResource{Group: "kubermatic.k8c.io", Resource: "clusters"}
	kind := schema.GroupKind{Group: "kubermatic.k8c.io", Kind: "Cluster"}
	status := func(code int32, reason metav1.StatusReason, message string) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Code: code, Reason: reason, Message: message, Status: metav1.StatusFailure}}
	}
	secret := map[string]any{"status": map[string]any{"address": map[string]any{"adminToken": "canary"}}}
	for name, c := range map[string]struct {
		err   error
		want  remedy
		words string
		after time.Duration
	}{
		"conflict":        {err: apierrors.NewConflict(clusters, "c1", errors.New("uid mismatch")), want: planAgain},
		"gone":            {err: apierrors.NewNotFound(clusters, "c1"), want: planAgain},
		"another uid":     {err: apierrors.NewInvalid(kind, "c1", field.ErrorList{field.Invalid(field.NewPath("metadata", "uid"), "u1", "field is immutable")}), want: planAgain},
		"a stale patch":   {err: status(422, metav1.StatusReasonInvalid, "the server rejected our request due to an error in our request"), want: tryAgain},
		"KKP's webhook":   {err: status(403, metav1.StatusReasonForbidden, `admission webhook "clusters.kubermatic.k8c.io" denied the request: unsupported CNI version`), want: trySlowly, words: "KKP refused the cluster: unsupported CNI version"},
		"KKP's, as 400":   {err: status(400, metav1.StatusReasonBadRequest, `admission webhook "clusters.kubermatic.k8c.io" denied the request: no such datacenter`), want: trySlowly, words: "KKP refused the cluster: no such datacenter"},
		"a policy":        {err: status(422, metav1.StatusReasonInvalid, `clusters "c1" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: kept elsewhere`), want: trySlowly, words: "the admission policy p refused the write: kept elsewhere"},
		"our own policy":  {err: status(422, metav1.StatusReasonInvalid, `clusters.kubermatic.k8c.io "c1" is forbidden: ValidatingAdmissionPolicy 'portcullis-reconciler' with binding 'portcullis-reconciler' denied request: portcullis may write canonical prefixes only`), want: trySlowly, words: "the admission policy portcullis-reconciler refused the write: portcullis may write canonical prefixes only"},
		"others' webhook": {err: status(403, metav1.StatusReasonForbidden, `admission webhook "validation.gatekeeper.sh" denied the request: no owner`), want: trySlowly, words: "the admission webhook validation.gatekeeper.sh refused the cluster: no owner"},
		"no right":        {err: status(403, metav1.StatusReasonForbidden, `clusters.kubermatic.k8c.io "c1" is forbidden: User "x" cannot patch resource "clusters" in API group "kubermatic.k8c.io" at the cluster scope`), want: trySlowly, words: "grant its account that right"},
		"another 403":     {err: status(403, metav1.StatusReasonForbidden, "quota exceeded"), want: trySlowly, words: "quota exceeded"},
		"schema":          {err: apierrors.NewInvalid(kind, "c1", field.ErrorList{field.Invalid(field.NewPath("spec"), secret, "too odd")}), want: giveUp, words: "spec: too odd"},
		"bad request":     {err: status(400, metav1.StatusReasonBadRequest, "no JSON"), want: giveUp, words: "no JSON"},
		"busy":            {err: apierrors.NewTooManyRequests("busy", 7), want: tryAgain, after: 7 * time.Second},
		"unavailable":     {err: apierrors.NewServiceUnavailable("etcd has no leader"), want: tryAgain, words: "no leader"},
		"a slow webhook":  {err: apierrors.NewInternalError(errors.New(`failed calling webhook "x": deadline exceeded`)), want: tryAgain},
		"signed out":      {err: apierrors.NewUnauthorized("token expired"), want: tryAgain},
		"network":         {err: errors.New("dial tcp 127.0.0.1:6443: connect: connection refused"), want: tryAgain, words: "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			what, words, after := judge(fmt.Errorf("patch cluster c1: %w", c.err))
			if what != c.want || after != c.after || !strings.Contains(words, c.words) {
				t.Errorf("remedy %d after %s: %s", what, after, words)
			}
			if strings.Contains(words, "canary") {
				t.Errorf("a secret is in %s", words)
			}
		})
	}
}

func TestRefusalsAreTriedMoreAndMoreSlowly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	w, cl, m := &render.Wanted{Cluster: "c1"}, &Cluster{}, &memory{}
	var waits []time.Duration
	for range 5 {
		wait := m.refuse(w, cl, say(Rejected, "no"), true, now)
		waits = append(waits, wait)
		if !m.refused.stands(w, cl, now.Add(wait-time.Second)) || m.refused.stands(w, cl, now.Add(wait)) {
			t.Errorf("the refusal does not stand for %s", wait)
		}
	}
	want := []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour, time.Hour}
	if !slices.Equal(waits, want) {
		t.Errorf("waits are %v", waits)
	}
	changed := &Cluster{}
	changed.Generation = 1
	if m.refused.stands(w, changed, now) || m.refused.stands(&render.Wanted{Cluster: "c1", Access: render.Open}, cl, now) {
		t.Error("the refusal stands for another object or plan")
	}
	if m.refuse(w, changed, say(Rejected, "no"), true, now) != firstRefusal {
		t.Error("another object waits as long as the old one")
	}
	m.refuse(w, cl, say(Rejected, "no"), false, now)
	if !m.refused.stands(w, cl, now.Add(1000*time.Hour)) {
		t.Error("what can never work is tried again")
	}
}

func TestFailuresBackOffToABound(t *testing.T) {
	t.Parallel()
	m, last := &memory{}, time.Duration(0)
	for range 100 {
		wait := m.backoff()
		if wait < last || wait > longestRetry {
			t.Fatalf("%s after %s", wait, last)
		}
		last = wait
	}
	if last != longestRetry {
		t.Errorf("the longest wait is %s", last)
	}
}

func TestRateOfWrites(t *testing.T) {
	t.Parallel()
	for perSecond, want := range map[float64]int{20: 5, 1: 1, 0.5: 1} {
		l := limiter(perSecond)
		if float64(l.Limit()) != perSecond || l.Burst() != want {
			t.Errorf("%v a second: limit %v, burst %d", perSecond, l.Limit(), l.Burst())
		}
	}
	if limiter(0).Limit() != rate.Inf {
		t.Error("0 is not unlimited")
	}
}

func TestPartsThatACrashLeft(t *testing.T) {
	t.Parallel()
	old := document{head: []byte(`"old"`), entries: map[string]rawJSON{}}
	next := document{head: []byte(`"new"`), entries: map[string]rawJSON{}}
	for i := range 50 {
		key := fmt.Sprintf("c%d", i)
		old.entries[key] = rawJSON(`"old"`)
		if i%5 > 0 {
			next.entries[key] = rawJSON(`"new"`)
		}
	}
	one, two := decoded(t, old, 1), decoded(t, next, 2)
	got, err := join(map[int]part{0: one[0], 1: two[1]}) // the first part is written last
	if err != nil {
		t.Fatal(err)
	}
	for key := range old.entries {
		want := old.entries[key]
		if home(key, 2) == 1 {
			want = next.entries[key]
		}
		if string(got.entries[key]) != string(want) {
			t.Errorf("%s is %s, not %s", key, got.entries[key], want)
		}
	}
	if whole, err := join(map[int]part{0: two[0], 1: two[1]}); err != nil || !reflect.DeepEqual(whole.entries, next.entries) {
		t.Errorf("both parts give %d entries, %v", len(whole.entries), err)
	}
	if _, err := join(map[int]part{1: two[1]}); err == nil {
		t.Error("state without its first part is taken for whole")
	}
}

type rawJSON = json.RawMessage

func decoded(t *testing.T, d document, n int) []part {
	t.Helper()
	texts, err := d.into(n)
	if err != nil {
		t.Fatal(err)
	}
	var out []part
	for _, text := range texts {
		p, err := decodePart(string(text))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestTextIsBounded(t *testing.T) {
	t.Parallel()
	if got := clip("one\n two\t three", 100); got != "one two three" {
		t.Errorf("%q", got)
	}
	if got := clip(strings.Repeat("ü", 100), 20); len(got) > 20 || !strings.HasSuffix(got, "ü...") {
		t.Errorf("%q", got)
	}
}
