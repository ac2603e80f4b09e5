using System.Text.RegularExpressions;

namespace Taba.Chart.Tests;

/// <summary>Wrong values end with a sentence that says what would do, before anything is installed.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed partial class RefusalTests
{
    public static TheoryData<string, string> RemovedKeys => [.. RemovedKey().Matches(ChartFiles.Read("helm/taba/templates/_validate.tpl"))
        .Select(m => (m.Groups["key"].Value, m.Groups["instead"].Value))];

    [Theory]
    [InlineData("replicas=2", "Additional property replicas is not allowed")]
    [InlineData("pools.gpu.replica=2", "Additional property replica is not allowed")]
    [InlineData("settings.Engine:Batch=2", "\"Engine:BatchSize\"")]
    [InlineData("settings.Engine:Device=cpu", "\"Engine:BatchSize\"")]
    [InlineData("coordinators.replicas=two", "Expected: integer, given: string")]
    [InlineData("pools.gpu.devices=cuda", "Expected: array, given: string")]
    [InlineData("pools.gpu.devices={gpu}", "Does not match pattern")]
    [InlineData("pools.A_B.replicas=1", "Does not match pattern")]
    [InlineData("cluster.name=a__b", "Does not match pattern")]
    [InlineData("cluster.drainFor=0", "Must be greater than or equal to 1")]
    [InlineData("database.provider=mysql", "must be one of the following: \"postgres\", \"redis\", \"azure\"")]
    [InlineData("service.type=External", "must be one of the following")]
    public async Task Schema_ValueThatDoesNotFit_IsRefused(string set, string reason) =>
        Assert.Contains(reason, await RenderedChart.RefusalAsync("minimal", "--set", set), StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(RemovedKeys))]
    public async Task Templates_RemovedKey_SayWhatTookItsPlace(string key, string instead) => Assert.Contains(
        $"{key} is no value of this chart: use {instead}.",
        await RenderedChart.RefusalAsync("minimal", "--set", $"{key}=1"), StringComparison.Ordinal);

    [Fact]
    public async Task Templates_RemovedKeyThatIsEmpty_IsRefusedToo() => Assert.Contains(
        "replicaCount is no value of this chart: use pools.<name>.replicas and coordinators.replicas.",
        await RenderedChart.RefusalAsync("minimal", "--set-string", "replicaCount="), StringComparison.Ordinal);

    [Theory]
    [InlineData("image.repository=", "image.repository is missing: name the image of the silo.")]
    [InlineData("database.existingSecret=", "database.existingSecret is missing: name a secret that holds the connection string of")]
    [InlineData("cluster.tls.clientExistingSecret=a", "cluster.tls.existingSecret is not: silos must have certificates too.")]
    [InlineData("web.existingSecret=", "web.existingSecret is missing: name a secret that holds a token of at least 16 characters")]
    [InlineData(
        "store.pvc.existingClaim=", "No store is set: set store.pvc.existingClaim, store.pvc.create.enabled or store.azure.container.")]
    [InlineData("store.azure.container=taba", "store.pvc and store.azure are both set: a cluster has one store.")]
    [InlineData("store.pvc.create.enabled=true", "store.pvc.existingClaim and store.pvc.create.enabled are both set")]
    [InlineData("cluster.grainState=azure:taba", "nothing is set to sign in with: set azure.accountUri or azure.existingSecret.")]
    [InlineData("database.provider=azure", "database.existingSecret is set and database.provider is azure")]
    [InlineData("database.provider=azure,database.existingSecret=", "nothing is set to sign in with")]
    [InlineData("azure.tableUri=https://a.example.org", "azure.tableUri is set: it belongs to database.provider azure")]
    [InlineData("azure.existingSecret=azure", "azure is set and nothing uses it")]
    [InlineData("pools=null,coordinators.enabled=false", "There is no pool and no coordinator")]
    [InlineData("ingress.enabled=true", "ingress.enabled is true and ingress.hosts is empty: name a host.")]
    [InlineData("otel.headersExistingSecret=a", "otel.headersExistingSecret is set and otel.endpoint is not: name the endpoint.")]
    [InlineData("ports.gateway=11111", "ports.gateway and ports.silo are too close")]
    [InlineData("ports.gateway=11112,pools.gpu.devices={cuda:0,cuda:0}", "a pod of 2 devices takes as many ports of each")]
    [InlineData("pools.gpu.devices={cpu}", "set pools.gpu.gpu.count to 0.")]
    [InlineData("pools.gpu.devices={cuda:0,cuda:1}", "pools.gpu.devices names cuda:1, but each container is given 1 of nvidia.com/gpu")]
    [InlineData(
        "pools.gpu.autoscaling.enabled=true", "pools.gpu.autoscaling.serverAddress is missing: name the Prometheus that KEDA asks.")]
    [InlineData("poolDefaults.autoscaling.enabled=true", "pools.gpu.autoscaling.serverAddress is missing")]
    [InlineData("pools.gpu.autoscaling.enabled=true,pools.gpu.autoscaling.serverAddress=http://p,coordinators.enabled=false",
        "pools.gpu.autoscaling.minReplicas is 0 without coordinators")]
    [InlineData("pools.gpu.autoscaling.enabled=true,pools.gpu.autoscaling.serverAddress=http://p,pools.gpu.autoscaling.minReplicas=5",
        "pools.gpu.autoscaling.maxReplicas is 4, below minReplicas, which is 5.")]
    [InlineData("nameOverride=a-name-that-is-much-too-long", "is longer than 27 characters: set fullnameOverride.")]
    public async Task Templates_ValuesThatCannotBe_AreRefusedWithASentence(string set, string sentence) =>
        Assert.Contains(sentence, await RenderedChart.RefusalAsync("minimal", "--set", set), StringComparison.Ordinal);

    [Fact]
    public async Task Templates_TwoWaysToSignIn_AreRefused() => Assert.Contains(
        "azure.accountUri and azure.existingSecret are both set",
        await RenderedChart.RefusalAsync("azure", "--set", "azure.existingSecret=a"), StringComparison.Ordinal);

    [Fact]
    public async Task Chart_KubernetesThatIsTooOld_IsRefused() => Assert.Contains(
        "chart requires kubeVersion >=1.27.0-0",
        await RenderedChart.RefusalAsync("minimal", "--kube-version", "v1.26.9"), StringComparison.Ordinal);

    [GeneratedRegex("^  \"(?<key>[\\w.]+)\" \"(?<instead>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex RemovedKey();
}
