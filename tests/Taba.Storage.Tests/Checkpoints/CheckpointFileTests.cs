using Taba.Storage.Checkpoints;
using static Taba.Storage.Tests.Checkpoints.CheckpointExamples;

namespace Taba.Storage.Tests.Checkpoints;

public sealed class CheckpointFileTests
{
    static readonly SampleCheckpoint[] s_rows = [Row(32, 5), Row(33, 0), Row(63, 1000)];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32)]
    public void Decode_WhatWasEncoded_IsTheSame(int rows)
    {
        var written = Enumerable.Range(0, rows).Select(i => Row(i, 31 - i)).ToList();
        var file = CheckpointFile.Encode(written);
        Assert.Equal(CheckpointFile.Size(rows, rows == 0 ? 0 : RowBytes), file.Length);
        AssertSame(written, CheckpointFile.Decode(file, rows == 0 ? 0 : RowBytes));
    }

    [Fact]
    public void Decode_AnyBitFlipped_IsPassedOver()
    {
        var file = CheckpointFile.Encode(s_rows);
        for (var bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Empty(CheckpointFile.Decode(file, RowBytes));
            file[bit / 8] ^= (byte)(1 << bit % 8);
        }
        AssertSame(s_rows, CheckpointFile.Decode(file, RowBytes));
    }

    [Fact]
    public void Decode_TornAnywhereOrLonger_IsPassedOver()
    {
        var file = CheckpointFile.Encode(s_rows);
        for (var length = 0; length < file.Length; length++)
            Assert.Empty(CheckpointFile.Decode(file.AsMemory(0, length), RowBytes));
        Assert.Empty(CheckpointFile.Decode(new byte[file.Length], RowBytes));
        Assert.Empty(CheckpointFile.Decode((byte[])[.. file, 0], RowBytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(RowBytes - 1)]
    [InlineData(RowBytes + 1)]
    [InlineData(int.MaxValue)]
    public void Decode_RowsOfAnotherSize_ArePassedOver(int rowBytes) =>
        Assert.Empty(CheckpointFile.Decode(CheckpointFile.Encode(s_rows), rowBytes));

    [Fact]
    public void Decode_MoreRowsThanACellHas_ArePassedOver() =>
        Assert.Empty(CheckpointFile.Decode(CheckpointFile.Encode([.. Enumerable.Range(0, 33).Select(i => Row(i, 1))]), RowBytes));
}
