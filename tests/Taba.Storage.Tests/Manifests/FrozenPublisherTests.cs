using Taba.Storage.Manifests;
using Taba.Testing;
using Taba.Testing.Commands;
using Taba.Testing.Stores;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

/// <summary>
/// A process that is frozen or killed in the middle of a publication holds nothing that others wait for: there is no lock. Limits of time
/// are those of a test that fails.
/// </summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class FrozenPublisherTests : StoreSuite
{
    const int Row = 5;

    static readonly TimeSpan s_hang = TimeSpan.FromMinutes(2);

    readonly FolderStorePlace _place;

    public FrozenPublisherTests() : this(new())
    {
    }

    FrozenPublisherTests(FolderStorePlace place) : base(place) => _place = place;

    /// <summary>A process that has looked at the cell and its objects, and is about to create the cell's first version.</summary>
    async Task<ProgramProcess> AboutToPublishAsync()
    {
        Directory.CreateDirectory(_place.Path);
        var process = ProgramProcess.Start(
            "a publisher", Programs.Beside("Taba.Testing.Publisher.dll"), Path.GetTempPath(), [], [_place.Path, $"{Row}"]);
        await process.SaysAsync("v00000001.json", s_hang);
        return process;
    }

    /// <summary>Others publish in the same cell and beside it.</summary>
    Task PublishOthersAsync() => Task.WhenAll(Enumerable.Range(0, 40).Where(row => row != Row).Select(row => Task.Run(
        async () => Assert.True(await PublishAsync(OpenStore(), Attempt(row), new(row, row + 1)))))).WaitAsync(s_hang);

    /// <summary>Nobody is in use.</summary>
    Task<int> SweepAsync() =>
        OpenStore().SweepAsync(_ => Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid>()), None).WaitAsync(s_hang);

    async Task AssertWholeAsync()
    {
        var store = OpenStore();
        Assert.Equal(Enumerable.Range(0, 40), (await store.ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.Empty(await store.VerifyAsync(null, repair: false, None).ToListAsync(None));
    }

    [Fact]
    public async Task Publish_AnotherProcessIsFrozen_GoesOnAndTheThawedOneAddsItsRow()
    {
        using var process = await AboutToPublishAsync();
        process.Freeze();
        await PublishOthersAsync();
        Assert.Equal(39, (await OpenStore().ListAsync(Key, None)).Length);

        process.Thaw();
        // Its version is taken: it looks again, and would create the one behind the newest.
        process.Tell("create it");
        await process.SaysAsync("v00000032.json", s_hang);
        process.Tell("create it");
        Assert.Contains("won", (await process.EndAsync(s_hang)).Output, StringComparison.Ordinal);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Publish_RowOfAFrozenProcess_IsWonAndTheThawedOneLoses()
    {
        using var process = await AboutToPublishAsync();
        process.Freeze();
        var rival = Attempt(Row, epoch: 2);
        Assert.True(await PublishAsync(OpenStore(), rival, new(Row, Row + 1)).WaitAsync(s_hang));
        await PublishOthersAsync();

        process.Thaw();
        process.Tell("create it");
        Assert.Contains("lost", (await process.EndAsync(s_hang)).Output, StringComparison.Ordinal);
        Assert.Equal(rival.Id, (await OpenStore().ListAsync(Key, new(Row, Row + 1), None)).Single().Attempt);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Sweep_WhatAFrozenProcessPut_IsDeletedAndTheThawedOneLoses()
    {
        using var process = await AboutToPublishAsync();
        process.Freeze();
        await PublishOthersAsync();
        Assert.Equal(1, await SweepAsync());

        process.Thaw();
        process.Tell("create it");
        Assert.Contains("lost", (await process.EndAsync(s_hang)).Output, StringComparison.Ordinal);
        Assert.True(await PublishAsync(OpenStore(), Attempt(Row, epoch: 2), new(Row, Row + 1)));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Publish_AnotherProcessWasKilled_GoesOn()
    {
        using (var process = await AboutToPublishAsync())
        {
            process.Kill();
            await process.EndAsync(s_hang);
        }
        await PublishOthersAsync();
        Assert.Equal(1, await SweepAsync());
        Assert.True(await PublishAsync(OpenStore(), Attempt(Row, epoch: 2), new(Row, Row + 1)));
        await AssertWholeAsync();
    }
}
