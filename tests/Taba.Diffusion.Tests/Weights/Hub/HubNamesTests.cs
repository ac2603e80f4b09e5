using System.Text;
using Taba.Diffusion.Weights.Hub;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights.Hub;

/// <summary>Names from users and servers become parts of paths: only those that stay where they belong are taken.</summary>
public sealed class HubNamesTests : IDisposable
{
    const string Commit = "cccccccccccccccccccccccccccccccccccccccc";

    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("CompVis/ldm-celebahq-256", "models--CompVis--ldm-celebahq-256")]
    [InlineData("DeepFloyd/IF-I-XL-v1.0", "models--DeepFloyd--IF-I-XL-v1.0")]
    [InlineData("gpt2", "models--gpt2")]
    public void Model_RealId_HasItsFolder(string id, string folder) => Assert.Equal(folder, HubRepository.Model(id).FolderName);

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../x")]
    [InlineData("a/..")]
    [InlineData("a/b/c")]
    [InlineData("/etc/passwd")]
    [InlineData("a\\b")]
    [InlineData("a/b\n")]
    [InlineData("a/b?x=1")]
    [InlineData("a/b#x")]
    [InlineData("a--b/c")]
    [InlineData("a/.b")]
    [InlineData("a/b-")]
    [InlineData("a/b.git")]
    [InlineData("é/b")]
    [InlineData("a/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]
    public void Model_WhatIsNoId_IsRefused(string id)
    {
        Assert.Equal(HubFault.BadRequest, Assert.Throws<HubException>(() => HubRepository.Model(id)).Fault);
        Assert.False(HubRepository.TryModel(id, out _));
    }

    [Theory]
    [InlineData("../main")]
    [InlineData("/main")]
    [InlineData("a/../b")]
    [InlineData("main\0")]
    [InlineData("main?x")]
    [InlineData("-x")]
    [InlineData("")]
    public void Snapshot_WhatIsNoRevision_IsRefused(string revision) =>
        Assert.Equal(HubFault.BadRequest, Assert.Throws<HubException>(
            () => new HubCache(_folder.Path).Snapshot(HubRepository.Model("a/b"), revision)).Fault);

    [Theory]
    [InlineData("../../../elsewhere")]
    [InlineData("not a commit")]
    [InlineData("")]
    public void Snapshot_RefThatNamesNoCommit_IsNone(string text)
    {
        Directory.CreateDirectory(_folder.At("models--a--b/refs"));
        _folder.Write("models--a--b/refs/main", Encoding.UTF8.GetBytes(text));
        Assert.Null(new HubCache(_folder.Path).Snapshot(HubRepository.Model("a/b")));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a\\b")]
    [InlineData("C:x")]
    [InlineData("a/b\u0000")]
    [InlineData("")]
    public void Parse_FileOutsideTheRepository_IsRefused(string path)
    {
        var json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            new { sha = Commit, siblings = new[] { new { rfilename = path, size = 1, blobId = Commit } } });
        Assert.Equal(HubFault.Corrupt, Assert.Throws<HubException>(() => HubListing.Parse(HubRepository.Model("a/b"), "main", json)).Fault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"sha":"../x","siblings":[]}""")]
    [InlineData("""{"sha":"COMMIT","siblings":{}}""")]
    [InlineData("""{"sha":"COMMIT","siblings":[3]}""")]
    [InlineData("""{"sha":"COMMIT","siblings":[{"rfilename":"a"}]}""")]
    [InlineData("""{"sha":"COMMIT","siblings":[{"rfilename":"a","size":1,"blobId":"../x"}]}""")]
    [InlineData("""{"sha":"COMMIT","siblings":[{"rfilename":"a","size":-1,"blobId":"COMMIT"}]}""")]
    [InlineData("""{"sha":"COMMIT","siblings":[{"rfilename":"a","size":9000000000000000000,"blobId":"COMMIT"}]}""")]
    [InlineData("""{"sha":"COMMIT","siblings":[{"rfilename":"a","size":1,"lfs":{"sha256":"COMMIT","size":1}}]}""")]
    public void Parse_DamagedList_IsRefused(string json) => Assert.Equal(
        HubFault.Corrupt,
        Assert.Throws<HubException>(() => HubListing.Parse(
            HubRepository.Model("a/b"), "main", Encoding.UTF8.GetBytes(json.Replace("COMMIT", Commit, StringComparison.Ordinal)))).Fault);

    [Fact]
    public void Settings_OfTheEnvironment_AreTheHubsOwn()
    {
        var variables = new Dictionary<string, string> { ["HOME"] = "/home-of-someone" };
        Assert.Equal("/home-of-someone/.cache/huggingface/hub", HubSettings.FromEnvironment(variables.GetValueOrDefault).CacheFolder);
        Assert.Equal("/home-of-someone/.cache/taba/checkpoints", HubSettings.FromEnvironment(variables.GetValueOrDefault).CheckpointFolder);
        Assert.Equal("https://huggingface.co/", HubSettings.FromEnvironment(variables.GetValueOrDefault).Endpoint.ToString());
        variables["XDG_CACHE_HOME"] = "/x";
        Assert.Equal("/x/huggingface/hub", HubSettings.FromEnvironment(variables.GetValueOrDefault).CacheFolder);
        variables["HF_HOME"] = "/data/hf";
        Assert.Equal("/data/hf/hub", HubSettings.FromEnvironment(variables.GetValueOrDefault).CacheFolder);
        Assert.Equal("/data/taba/checkpoints", HubSettings.FromEnvironment(variables.GetValueOrDefault).CheckpointFolder);
        variables["HF_HUB_CACHE"] = "/data/cache";
        variables["TABA_CACHE"] = "/data/own";
        Assert.Equal("/data/cache", HubSettings.FromEnvironment(variables.GetValueOrDefault).CacheFolder);
        Assert.Equal("/data/own/checkpoints", HubSettings.FromEnvironment(variables.GetValueOrDefault).CheckpointFolder);
    }

    [Theory]
    [InlineData("HF_HOME", "~/hf", "/home-of-someone/hf/hub", "/home-of-someone/taba/checkpoints")]
    [InlineData("HF_HUB_CACHE", "~/hub", "/home-of-someone/hub", "/home-of-someone/.cache/taba/checkpoints")]
    [InlineData("HUGGINGFACE_HUB_CACHE", "~", "/home-of-someone", "/home-of-someone/.cache/taba/checkpoints")]
    [InlineData("XDG_CACHE_HOME", "~/c", "/home-of-someone/c/huggingface/hub", "/home-of-someone/c/taba/checkpoints")]
    [InlineData("TABA_CACHE", "~/t", "/home-of-someone/.cache/huggingface/hub", "/home-of-someone/t/checkpoints")]
    [InlineData("HF_HUB_CACHE", "/data/~/hub", "/data/~/hub", "/home-of-someone/.cache/taba/checkpoints")]
    public void Settings_PathInTheUsersFolder_IsReadAsAShellWould(string name, string value, string hub, string checkpoints)
    {
        var variables = new Dictionary<string, string> { ["HOME"] = "/home-of-someone", [name] = value };
        var settings = HubSettings.FromEnvironment(variables.GetValueOrDefault);
        Assert.Equal((hub, checkpoints), (settings.CacheFolder, settings.CheckpointFolder));
    }

    [Fact]
    public void Settings_TokenInTheUsersFolder_IsFound()
    {
        File.WriteAllText(_folder.At("secret"), "hf_x");
        var variables = new Dictionary<string, string> { ["HOME"] = _folder.Path, ["HF_TOKEN_PATH"] = "~/secret" };
        Assert.True(HubSettings.FromEnvironment(variables.GetValueOrDefault).HasToken);
    }

    [Theory]
    [InlineData("HF_ENDPOINT", "huggingface.co")]
    [InlineData("HF_ENDPOINT", "ftp://x")]
    [InlineData("HF_ENDPOINT", "https://user:pass@x")]
    [InlineData("HF_TOKEN", "two words")]
    [InlineData("HF_TOKEN", "a\r\nX-Evil: b")]
    public void Settings_WrongValue_NamesTheVariableAndNotASecret(string name, string value)
    {
        var variables = new Dictionary<string, string> { ["HOME"] = "/h", [name] = value };
        var error = Assert.Throws<HubException>(() => HubSettings.FromEnvironment(variables.GetValueOrDefault));
        Assert.StartsWith(name, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_Printed_DoNotShowTheToken()
    {
        var variables = new Dictionary<string, string> { ["HOME"] = "/h", ["HF_TOKEN"] = "hf_secret" };
        var settings = HubSettings.FromEnvironment(variables.GetValueOrDefault);
        Assert.True(settings.HasToken);
        Assert.DoesNotContain("hf_secret", settings.ToString(), StringComparison.Ordinal);
    }
}
