using System.Text;
using Taba.Storage.Manifests;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

public sealed class CellDocumentTests
{
    static readonly PartAttempt s_attempt = Attempt(32, 3);

    static readonly CellDocument s_document = new(
        CellDocument.CurrentSchema,
        [
            Manifest(s_attempt, new(32, 64), Entry("samples", TensorKinds.None), Entry("all_t_eps_samples", TensorKinds.Eps, 3, 7)),
        ],
        [new(32, 64, Guid.NewGuid(), "its object \"x\" is gone", Noon), new(32, 64, null, "version 2 cannot be read", Noon)],
        [Guid.NewGuid(), Guid.NewGuid()]);

    static ObjectEntry Entry(string name, TensorKinds kind, params int[] steps) => new(
        name, kind, [.. steps], $"stages/{Key}/objects/{s_attempt.Name}/{name}.safetensors", [32, 3], "float32", 96, 384,
        new string('a', 64));

    [Fact]
    public void Parse_WhatWasWritten_IsTheSame()
    {
        var written = s_document.Write();
        var read = CellDocument.Parse(Key, 32, written);
        Assert.Equal(written, read.Write());
        Assert.Equal(s_document.Fenced, read.Fenced);
        Assert.Equal(s_document.Void, read.Void);
        Assert.Equal(s_document.Manifests[0].Kept, read.Manifests[0].Kept);
        // The digest is that of all behind it: one who knows only that can make the same document.
        var again = CellDocument.Parse(Key, 32, StoredCells.Edited(written, _ => { }));
        Assert.Equal(written, again.Write());
        // For people: a document of several lines.
        Assert.Contains("\n  \"manifests\": [", Encoding.UTF8.GetString(written), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_ADocumentFromBeforeMakersWereNamed_IsReadAndGoesOn()
    {
        var maker = new Maker(s_attempt.Id, "w1", "node-7", "cuda:0", "0.1.0");
        var named = s_document.With([
            s_document.Manifests[0] with { Silo = "w1", Host = "node-7", Build = "0.1.0", Numerics = 1 }]) with
        {
            Disagreements = [new(32, 64, ["samples"], maker, maker with { Silo = "w2" }, Noon)],
        };
        var written = named.Write();
        var before = CellDocument.Parse(Key, 32, StoredCells.Edited(written, document =>
        {
            Assert.True(document.Remove("disagreements"));
            foreach (var field in new[] { "silo", "host", "build", "numerics" })
                Assert.True(document["manifests"]![0]!.AsObject().Remove(field));
        }));
        Assert.Equal((null, null, null, null), (
            before.Manifests[0].Silo, before.Manifests[0].Host, before.Manifests[0].Build, before.Manifests[0].Numerics));
        Assert.Empty(before.Disagreements);
        Assert.Equal(s_document.Write(), before.Write());

        var after = CellDocument.Parse(Key, 32, written);
        Assert.Equal(written, after.Write());
        Assert.Contains("silo w1 on node-7 (cuda:0, Taba 0.1.0", Assert.Single(after.Disagreements).Text(Key), StringComparison.Ordinal);
        Assert.Throws<DamagedDocumentException>(() => CellDocument.Parse(Key, 32, StoredCells.Edited(
            written, document => document["disagreements"]![0]!["other"] = null)));
    }

    [Fact]
    public void Parse_AnyBitFlipped_IsDamaged()
    {
        var written = s_document.Write();
        for (var bit = 0; bit < written.Length * 8; bit++)
        {
            var flipped = (byte[])written.Clone();
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Throws<DamagedDocumentException>(() => CellDocument.Parse(Key, 32, flipped));
        }
    }

    [Fact]
    public void Parse_CutAnywhereOrLonger_IsDamaged()
    {
        var written = s_document.Write();
        for (var length = 0; length < written.Length; length++)
            Assert.Throws<DamagedDocumentException>(() => CellDocument.Parse(Key, 32, written.AsSpan(0, length)));
        Assert.Throws<DamagedDocumentException>(() => CellDocument.Parse(Key, 32, [.. written, (byte)'\n']));
        Assert.Throws<DamagedDocumentException>(() => CellDocument.Parse(Key, 32, new byte[written.Length]));
    }

    [Fact]
    public void Parse_UnderAnotherName_IsDamaged()
    {
        var written = s_document.Write();
        Assert.Throws<DamagedDocumentException>(() => CellDocument.Parse(Key, 0, written));
        Assert.Throws<DamagedDocumentException>(() => CellDocument.Parse("ff", 32, written));
    }
}
