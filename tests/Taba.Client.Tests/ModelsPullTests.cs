using System.Net;
using System.Text.Json;
using Taba.Diffusion.Weights;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>The command against a real server on this machine; the cache is a folder of the test.</summary>
public sealed class ModelsPullTests : IDisposable
{
    static readonly string[] s_variables =
        ["HF_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TABA_CACHE", "TABA_CHECKPOINT_MIRROR"];

    readonly CommandLine _taba = new();
    readonly HubServer _hub = new();
    readonly Dictionary<string, string?> _before = s_variables.ToDictionary(v => v, Environment.GetEnvironmentVariable);

    static ModelsPullTests() => HttpClient.DefaultProxy = new WebProxy();

    public ModelsPullTests()
    {
        foreach (var variable in s_variables)
            Environment.SetEnvironmentVariable(variable, null);
        Environment.SetEnvironmentVariable("HF_HOME", _taba.At("hf"));
        Environment.SetEnvironmentVariable("HF_ENDPOINT", _hub.Endpoint.ToString());
        Environment.SetEnvironmentVariable("TABA_CHECKPOINT_MIRROR", new Uri(_hub.Endpoint, "files").ToString());
        _hub.AddFolder("models/CompVis/ldm-celebahq-256", Fixtures.At("models/ldm_tiny"));
        _hub.AddFolder("models/DeepFloyd/IF-I-XL-v1.0", Fixtures.At("models/if_tiny"));
        _hub.AddFolder("models/someone/dit", Fixtures.At("models/dit_tiny"));
    }

    public void Dispose()
    {
        foreach (var (variable, value) in _before)
            Environment.SetEnvironmentVariable(variable, value);
        _hub.Dispose();
        _taba.Dispose();
    }

    [Fact]
    public async Task Pull_KnownModel_PrintsAFolderThatLoads()
    {
        await _taba.DoneAsync("models", "pull", "celeba_ldm_256");
        Assert.Contains(
            "ldm-celebahq-256: 6 files of CompVis/ldm-celebahq-256 at main (cccccccccccc)", _taba.Last.Errors, StringComparison.Ordinal);
        var folder = ModelFolder.Open(_taba.Last.Output.Trim());
        Assert.Equal("LDMPipeline", folder.Pipeline);
        using var weights = folder.OpenWeights("vqvae");
        Assert.NotEmpty(weights.Names);
        Assert.False(File.Exists(Path.Combine(folder.FolderPath, "vqvae", "diffusion_pytorch_model.bin"))); // one format is enough
        Assert.False(File.Exists(Path.Combine(folder.FolderPath, "inputs.safetensors")));
    }

    [Fact]
    public async Task Pull_Json_IsOneObjectALine()
    {
        await _taba.DoneAsync("models", "pull", "if-i-xl", "--json");
        using var result = JsonDocument.Parse(_taba.Last.Output);
        Assert.Equal("DeepFloyd/IF-I-XL-v1.0", result.RootElement.GetProperty("repository").GetString());
        Assert.Equal(result.RootElement.GetProperty("bytes").GetInt64(), result.RootElement.GetProperty("bytes_pulled").GetInt64());
        Assert.True(Directory.Exists(result.RootElement.GetProperty("path").GetString()));
        foreach (var line in _taba.Last.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            JsonDocument.Parse(line).Dispose();
    }

    [Fact]
    public async Task Pull_AnyRepository_BringsItsComponents()
    {
        await _taba.DoneAsync("models", "pull", "someone/dit");
        Assert.Equal(1000, ModelFolder.Open(_taba.Last.Output.Trim()).Id2Label.Count);
    }

    [Fact]
    public async Task Pull_PlainCheckpoint_IsFoundAfterwards()
    {
        _hub.AddPlain("cifar10_uncond_50M_500K.pt", "weights"u8.ToArray());
        await _taba.DoneAsync("models", "pull", "cifar_pixel_32");
        Assert.Equal(_taba.At("taba", "checkpoints", "cifar10_uncond_50M_500K.pt"), _taba.Last.Output.Trim());
        await _taba.DoneAsync("models", "list");
        Assert.Contains(_taba.At("taba", "checkpoints", "cifar10_uncond_50M_500K.pt"), _taba.Last.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_BeforeAndAfterAPull_SaysWhatIsHere()
    {
        await _taba.DoneAsync("models", "list");
        Assert.Contains("from CompVis/ldm-celebahq-256\n", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains("not here: taba models pull ldm-celebahq-256", _taba.Last.Output, StringComparison.Ordinal);
        await _taba.DoneAsync("models", "pull", "ldm-celebahq-256");
        var folder = _taba.Last.Output.Trim();
        await _taba.DoneAsync("models", "list");
        Assert.Contains(folder + "\n", _taba.Last.Output, StringComparison.Ordinal);

        Directory.Delete(Path.Combine(folder, "vqvae"), recursive: true);
        await _taba.DoneAsync("models", "list");
        Assert.Contains($"{folder} lacks vqvae: taba models pull ldm-celebahq-256", _taba.Last.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_UnknownName_NamesTheNearest() =>
        Assert.Contains("Did you mean adm-32?", await _taba.RefuseAsync("models", "pull", "adm32"), StringComparison.Ordinal);

    [Fact]
    public async Task Pull_ShippedModel_IsRefused() =>
        Assert.Contains("comes with taba", await _taba.RefuseAsync("models", "pull", "demo"), StringComparison.Ordinal);

    [Fact]
    public async Task Pull_RevisionOfAPlainFile_IsRefused() =>
        Assert.Contains("neither revisions nor variants", await _taba.RefuseAsync(
            "models", "pull", "adm-32", "--revision", "x"), StringComparison.Ordinal);

    [Fact]
    public async Task Pull_UnknownRepository_IsRefused() =>
        Assert.Contains("does not exist on the hub", await _taba.RefuseAsync("models", "pull", "no/such"), StringComparison.Ordinal);

    [Fact]
    public async Task Pull_VariantThatIsAbsent_IsRefused() =>
        Assert.Contains("no weights of variant 'bf16'", await _taba.RefuseAsync(
            "models", "pull", "if-i-xl", "--variant", "bf16"), StringComparison.Ordinal);

    [Fact]
    public async Task Pull_Offline_IsRefused()
    {
        Environment.SetEnvironmentVariable("HF_HUB_OFFLINE", "1");
        Assert.Contains("HF_HUB_OFFLINE is set", await _taba.RefuseAsync("models", "pull", "if-i-xl"), StringComparison.Ordinal);
        Assert.Contains("HF_HUB_OFFLINE is set", await _taba.RefuseAsync("models", "pull", "adm-32"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Gated_EndsWithTwoAndWritesNothing()
    {
        _hub.Token = "hf_right";
        (await _taba.RunAsync("models", "pull", "if-i-xl")).ShouldEnd(ExitStatus.BadInput);
        Assert.Contains("accept the licence of DeepFloyd/IF-I-XL-v1.0", _taba.Last.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_taba.At("hf")));
    }

    [Fact]
    public async Task Pull_ServerThatAsksToComeMuchLater_EndsWithThree()
    {
        _hub.Intercept = _ => HubReply.Of(503, ("Retry-After", "9999"));
        (await _taba.RunAsync("models", "pull", "if-i-xl")).ShouldEnd(ExitStatus.Failed);
        Assert.Contains("to go on: taba models pull if-i-xl", _taba.Last.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Interrupted_EndsWithOneHundredAndThirty()
    {
        using var interrupted = new CancellationTokenSource();
        _hub.Intercept = r =>
        {
            if (r.Port == _hub.StoragePort)
                interrupted.Cancel();
            return null;
        };
        var ended = (await InProcess.RunAsync(["models", "pull", "if-i-xl"], interrupted.Token)).ShouldEnd(ExitStatus.Interrupted);
        Assert.Contains("to go on: taba models pull if-i-xl", ended.Errors, StringComparison.Ordinal);
    }
}
