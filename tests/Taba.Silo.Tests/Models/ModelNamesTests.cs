using Taba.Diffusion.Weights.Hub;
using Taba.Silo.Devices;
using Taba.Silo.Models;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.Models;

/// <summary>What models are called in run folders and on screens.</summary>
public sealed class ModelNamesTests : IDisposable
{
    const string Commit = "0123456789abcdef0123456789abcdef01234567";

    readonly TestFolder _folder = new();
    readonly ModelCatalogue _catalogue = new(SiloDevices.Resolve("cpu")[0], null);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Resolve_SnapshotOfTheHub_IsCalledAfterItsRepository()
    {
        var snapshot = Copy("hub", "models--facebook--DiT-tiny", "snapshots", Commit);
        var facts = _catalogue.Resolve(new(snapshot));
        Assert.Equal("facebook-DiT-tiny", facts.Slug);
        Assert.Equal(("facebook/DiT-tiny", "facebook/DiT-tiny"), (facts.Identity.Name, facts.Autoencoder!.Model.Name));
        Assert.Equal("facebook/DiT-tiny", ModelCatalogue.Define(new(snapshot)).Name);
        // The same work as that of the folder under any other name.
        Assert.Equal(_catalogue.Resolve(new(Copy("dit"))).Identity.Digest, facts.Identity.Digest);
    }

    [Theory]
    [InlineData("hub/models--org--name/snapshots/" + Commit, "org/name")]
    [InlineData("hub/models--gpt2/snapshots/" + Commit + "/", "gpt2")]
    [InlineData("hub/models--org--name/snapshots/main", null)]
    [InlineData("hub/datasets--org--name/snapshots/" + Commit, null)]
    [InlineData("hub/models--a--b--c/snapshots/" + Commit, null)]
    [InlineData("models--org--name/" + Commit, null)]
    [InlineData(Commit, null)]
    [InlineData("", null)]
    public void OfSnapshot_Folder_IsTheRepositoryOrNone(string folder, string? id) =>
        Assert.Equal(id, HubRepository.OfSnapshot(folder)?.Id);

    [Theory]
    [InlineData("my_model v2", "my-model-v2")]
    [InlineData("dit.tiny-1", "dit.tiny-1")]
    [InlineData("ünï 数据", "ünï-数据")]
    [InlineData("u\u0308n", "u\u0308n")]
    [InlineData("мой, первый", "мой--первый")]
    [InlineData("मॉडल 🚀", "मॉडल")]
    [InlineData("🚀", "model")]
    public void Resolve_ModelJsonInAFolder_IsCalledAfterIt(string folder, string slug)
    {
        var path = _folder[folder, "model.json"];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, """{"family":"gaussian","image_size":8,"channels":3,"mean":0.1,"deviation":0.5}""");
        Assert.Equal(slug, _catalogue.Resolve(new(path)).Slug);
    }

    string Copy(params string[] folder)
    {
        var (from, to) = (Fixtures.At("models/dit_tiny"), _folder[folder]);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        return to;
    }
}
